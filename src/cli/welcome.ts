import { loadConfig } from "../config/load.ts";
import { describeLogin } from "../credentials/describe.ts";
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
  const login = await describeLogin({ config, files, fetch, clock, env }).then(
    ({ email, mode, plan }) => `signed in: ${email ?? mode}${plan === undefined ? "" : ` (${plan})`}`,
    (error: Error) => `not signed in: ${error.message}`,
  );
  const signedIn = login.startsWith("signed in");
  const server = instance
    ? `running: ${publicUrl(instance.host, instance.port)}/v1, pid ${instance.pid}`
    : "not running";
  platform.write("stdout", `codex-api-proxy ${config.version}\n\nlogin:  ${login}\nserver: ${server}\n\n`);
  platform.write("stdout", `next: ${nextStep(signedIn, instance !== undefined)}\n`);
  platform.write("stdout", "all commands: codex-api-proxy --help\n");
  return 0;
}

function nextStep(signedIn: boolean, running: boolean): string {
  if (!signedIn) return "codex-api-proxy login, or codex-api-proxy start --demo to look around without an account";
  if (!running) return "codex-api-proxy start, or codex-api-proxy run -- claude for a client on a server of its own";
  return "codex-api-proxy setup claude-code (or codex, opencode, openclaw, sdk) shows how to point a client at it";
}
