import { loadConfig } from "../config/load.ts";
import { describeLogin, type LoginDescription } from "../credentials/describe.ts";
import { findInstance } from "../daemon/instance.ts";
import type { Platform } from "../platform.ts";
import { publicUrl } from "./endpoints.ts";
import { settingsWithSaved } from "./own-server.ts";

/** The program without a command on a terminal: what is, and the next step. */
export async function welcome(platform: Platform): Promise<number> {
  const { settings } = await settingsWithSaved(platform, {});
  const config = await loadConfig(settings, platform);
  const instance = await findInstance(platform, settings.pid_file);
  const { files, clock, env } = platform;
  const fetch = platform.createFetch(config.network);
  const now = clock.now();
  const login = await describeLogin({ config, files, fetch, clock, env }).then(
    (found) => inWords(found, now),
    (error: Error) => ({ usable: false, text: `not signed in: ${error.message}` }),
  );
  const server = instance
    ? `running: ${publicUrl(instance.host, instance.port)}/v1, pid ${instance.pid}`
    : "not running";
  platform.write("stdout", `codex-api-proxy ${config.version}\n\nlogin:  ${login.text}\nserver: ${server}\n\n`);
  platform.write("stdout", `next: ${nextStep(login.usable || settings.demo, instance !== undefined)}\n`);
  platform.write("stdout", "all commands: codex-api-proxy --help\n");
  return 0;
}

/** An access token lives for hours: one that has ended is nothing to act on as long as it can be renewed. */
function inWords(login: LoginDescription, now: number): { usable: boolean; text: string } {
  const { email, mode, plan, expiresAt, refreshable } = login;
  const text = `signed in: ${email ?? mode}${plan === undefined ? "" : ` (${plan})`}`;
  if (expiresAt === undefined || expiresAt * 1000 > now) return { usable: true, text };
  const what = refreshable ? "is renewed with the next request" : "cannot be renewed";
  return { usable: refreshable, text: `${text}; its access token has expired and ${what}` };
}

function nextStep(usable: boolean, running: boolean): string {
  if (!usable) return "codex-api-proxy login, or codex-api-proxy start --demo to look around without an account";
  if (!running) return "codex-api-proxy start, or codex-api-proxy run -- claude for a client on a server of its own";
  return "codex-api-proxy setup claude-code (or codex, opencode, openclaw, sdk) shows how to point a client at it";
}
