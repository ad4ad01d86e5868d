import { loadConfig } from "../config/load.ts";
import { flagOf, type SettingName, type Settings } from "../config/options.ts";
import { type ResolvedSettings, resolveSettings } from "../config/settings.ts";
import { findInstance, type Instance } from "../daemon/instance.ts";
import { LaunchError, launch, makeFolders } from "../daemon/launch.ts";
import { readStateFile, SHOWN_SETTINGS, toSaved } from "../daemon/state-file.ts";
import type { Platform } from "../platform.ts";
import type { Command } from "./command.ts";
import { endpointLines } from "./endpoints.ts";
import { withStdinKey } from "./stdin-key.ts";

/** `start`: the server in the background, or with `--foreground` here. */
export const start: Command = {
  name: "start",
  summary: "start the server in the background; returns when it answers",
  settings: "all",
  flags: [{ flag: "foreground", kind: "boolean", help: "stay in this terminal and log to it" }],
  examples: [
    "codex-api-proxy start",
    "codex-api-proxy start --foreground --log-level debug",
    "codex-api-proxy start --host 0.0.0.0 --api-key-file keys.txt",
    "pass show proxy-key | codex-api-proxy start --api-key -",
    "codex-api-proxy start --demo --port 0",
  ],
  async run({ platform, given, isSet }) {
    const flags = await withStdinKey(platform, given);
    const resolved = resolveSettings({ flags, env: platform.env, homeDir: platform.homeDir });
    // What cannot work is told here, and not by a process in the background.
    await loadConfig(resolved.settings, platform);
    return isSet("foreground") ? inForeground(platform, resolved) : inBackground(platform, resolved);
  },
};

function inBackground(platform: Platform, resolved: ResolvedSettings): Promise<number> {
  return whileLocked(platform, resolved.settings, async () => {
    const running = await findInstance(platform, resolved.settings.pid_file);
    return running ? alreadyRunning(platform, resolved, running) : startInBackground(platform, resolved.settings);
  });
}

/** Two starts at once give one server. */
export async function whileLocked<T>(platform: Platform, settings: Settings, work: () => Promise<T>): Promise<T> {
  await makeFolders(platform, settings);
  return platform.files.withLock(settings.pid_file, work);
}

/** Starts it and tells how it went. The caller holds the lock. */
export async function startInBackground(platform: Platform, settings: Settings): Promise<number> {
  const say = (text: string): void => platform.write("stdout", text);
  if (platform.isTerminal("stderr")) platform.write("stderr", "starting codex-api-proxy…\n");
  let instance: Instance;
  try {
    instance = await launch(platform, settings);
  } catch (error) {
    if (!(error instanceof LaunchError)) throw error;
    const log = error.logTail === "" ? "" : `last lines of its log:\n${error.logTail.replace(/^/gm, "  ")}\n`;
    platform.write("stderr", `ERROR: ${error.message}; see ${settings.log_file}\n${log}`);
    return 1;
  }
  say(`codex-api-proxy started with pid ${instance.pid}\n`);
  say(`config: ${settings.state_file}\nlog: ${settings.log_file}\n`);
  say(`effective parameters:\n${parameterLines({ ...settings, port: instance.port })}`);
  say(endpointLines(instance.host, instance.port));
  if (!settings.demo) await warnWithoutLogin(platform, settings);
  return 0;
}

/** The server takes a login when it comes; a newcomer should not learn from a client's error that there is none. */
async function warnWithoutLogin(platform: Platform, settings: Settings): Promise<void> {
  const { explainNoLogin } = await import("../credentials/describe.ts");
  const { files, env } = platform;
  const missing = await explainNoLogin({ config: await loadConfig(settings, platform), files, env });
  if (missing !== undefined) platform.write("stderr", `WARNING: not signed in: ${missing}\n`);
}

async function inForeground(platform: Platform, resolved: ResolvedSettings): Promise<number> {
  const { settings, from } = resolved;
  const { serveUntilStopped } = await import("./serve-command.ts");
  const running = await findInstance(platform, settings.pid_file);
  if (running) return alreadyRunning(platform, resolved, running);
  return serveUntilStopped(platform, settings, {
    logTo: from.log_file === "default" ? "stderr" : "file",
    keepsSettings: true,
    background: false,
  });
}

/** A server that runs already as wished is what the user asked for; another one is not changed behind the user's back. */
async function alreadyRunning(
  platform: Platform,
  { settings, from }: ResolvedSettings,
  running: Instance,
): Promise<number> {
  const saved = (await readStateFile(platform.files, settings.state_file)) ?? {};
  const wanted = await toSaved(settings);
  // A proxy variable of this shell is not a wish about the server.
  const asked = (Object.keys(from) as SettingName[]).filter(
    (name) => from[name] === "option" || (from[name] === "environment" && name !== "proxy"),
  );
  const current: Record<string, unknown> = { ...saved, host: running.host };
  const differing = asked.filter((name) => name !== "state_file" && name !== "pid_file" && differs(name));
  if (differing.length === 0) {
    platform.write("stdout", `codex-api-proxy already running with pid ${running.pid}\n`);
    return 0;
  }
  const names = differing.map((name) => `--${flagOf(name)}`).join(", ");
  platform.write(
    "stderr",
    `ERROR: codex-api-proxy already running with pid ${running.pid} and other settings (${names}); ` +
      "apply them with codex-api-proxy restart, or start a second server with its own --pid-file, --log-file, --state-file and --port\n",
  );
  return 1;

  function differs(name: SettingName): boolean {
    // Port 0 asks for any, and that is what it has.
    if (name === "port") return settings.port !== 0 && settings.port !== running.port;
    const now = current[name] ?? resolvedDefault(name);
    return JSON.stringify(wanted[name] ?? resolvedDefault(name)) !== JSON.stringify(now);
  }

  function resolvedDefault(name: SettingName): unknown {
    return resolveSettings({ flags: {}, env: () => undefined, homeDir: platform.homeDir }).settings[name];
  }
}

/** The settings in force, as `start` shows them; a key or password never. */
function parameterLines(settings: Settings): string {
  return SHOWN_SETTINGS.map((name) => {
    // Beside the log's own line.
    if (name === "log_file") return "";
    return `  ${name}: ${shown(settings, name)}\n`;
  }).join("");
}

function shown(settings: Settings, name: SettingName): string {
  switch (name) {
    case "api_key":
      return settings.api_key.length > 0 || settings.api_key_file !== undefined ? "<redacted>" : "<none>";
    case "proxy":
      return settings.proxy === undefined ? "<none>" : withoutPassword(settings.proxy);
    case "reasoning_effort":
    case "verbosity":
    case "service_tier":
      return settings[name] ?? "<request/default>";
    default:
      return String(settings[name]);
  }
}

export function withoutPassword(proxy: string): string {
  const url = new URL(proxy);
  if (url.password !== "") url.password = "***";
  return url.href;
}
