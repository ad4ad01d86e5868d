import { loadConfig } from "../config/load.ts";
import { resolveSettings } from "../config/settings.ts";
import { findInstance } from "../daemon/instance.ts";
import type { Platform } from "../platform.ts";
import type { Command } from "./command.ts";
import { describeService, type ServiceDefinition } from "./service/definition.ts";
import { withStdinKey } from "./stdin-key.ts";
import { UsageError } from "./usage-error.ts";

const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

/** `service install|uninstall|print`: the server under systemd or launchd, started with the machine or the session. */
export const service: Command = {
  name: "service",
  summary: "run the server under systemd or launchd: install, uninstall or print the service",
  operands: "install|uninstall|print",
  settings: "all",
  flags: [{ flag: "system", kind: "boolean", help: "for the whole machine, not for your session; needs root" }],
  examples: [
    "codex-api-proxy service install",
    "codex-api-proxy service install --port 9000 --log-format json",
    "codex-api-proxy service print --system",
    "codex-api-proxy service uninstall",
  ],
  async run({ platform, given, isSet, operands: [action, ...more] }) {
    if (more.length > 0 || action === undefined || !Object.hasOwn(ACTIONS, action)) {
      throw new UsageError("service takes one of install, uninstall, print");
    }
    const flags = await withStdinKey(platform, given);
    const resolved = resolveSettings({ flags, env: platform.env, homeDir: platform.homeDir });
    // What the server would refuse is told here.
    await loadConfig(resolved.settings, platform);
    const definition = await describeService(platform, resolved, isSet("system"));
    const perform = ACTIONS[action as keyof typeof ACTIONS];
    return perform(platform, definition, resolved.settings.pid_file);
  },
};

const ACTIONS = { install, uninstall, print };

async function print(platform: Platform, { text, notes }: ServiceDefinition): Promise<number> {
  platform.write("stdout", text);
  tell(platform, notes);
  return 0;
}

async function install(platform: Platform, definition: ServiceDefinition, pidFile: string): Promise<number> {
  const { files } = platform;
  const { path, text, folders, install: commands, isRunning, notes, after } = definition;
  const running = await findInstance(platform, pidFile);
  if (running && !(await succeeds(platform, isRunning))) {
    platform.write(
      "stderr",
      `ERROR: a server that the service manager does not know runs with pid ${running.pid}; end it first: codex-api-proxy stop\n`,
    );
    return 1;
  }
  for (const folder of folders) await files.makeDir(folder, PRIVATE_FOLDER);
  await files.makeDir(path.replace(/\/[^/]*$/, ""), 0o755);
  await files.writeTextAtomic(path, text, PRIVATE_FILE);
  platform.write("stdout", `written: ${path}\n`);
  tell(platform, notes);
  for (const command of commands) {
    if (await succeeds(platform, command)) continue;
    platform.write("stderr", `ERROR: ${command.join(" ")} failed; ${definition.onFailure}\n`);
    return 1;
  }
  platform.write("stdout", `installed and started\n${after.map((line) => `${line}\n`).join("")}`);
  return 0;
}

async function uninstall(platform: Platform, { path, uninstall: commands }: ServiceDefinition): Promise<number> {
  const { files } = platform;
  if ((await files.stat(path)) === undefined) {
    platform.write("stdout", `no service is installed at ${path}\n`);
    return 0;
  }
  // Also where the manager no longer knows it, the file goes.
  for (const command of commands.before) await succeeds(platform, command);
  await files.remove(path);
  for (const command of commands.after) await succeeds(platform, command);
  platform.write("stdout", `stopped and removed: ${path}\n`);
  return 0;
}

/** @throws Error when there is no such program. */
async function succeeds(platform: Platform, [program = "", ...args]: readonly string[]): Promise<boolean> {
  try {
    return (await platform.processes.run(program, args, platform.environment())) === 0;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") throw error;
    throw new Error(`there is no ${program} here; codex-api-proxy service print shows the service for your own use`);
  }
}

function tell(platform: Platform, notes: readonly string[]): void {
  for (const note of notes) platform.write("stderr", `NOTE: ${note}\n`);
}
