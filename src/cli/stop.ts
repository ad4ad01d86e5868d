import type { Settings } from "../config/options.ts";
import { endInstance } from "../daemon/end.ts";
import { findInstance } from "../daemon/instance.ts";
import type { Platform } from "../platform.ts";
import { type Command, STATE_SETTINGS } from "./command.ts";
import { settingsWithSaved } from "./own-server.ts";
import { whileLocked } from "./start.ts";

const NOT_RUNNING = "codex-api-proxy is not running\n";

/** `stop`: only a process that is shown to be this program's server is signalled. */
export const stop: Command = {
  name: "stop",
  summary: "stop the server; open requests have ten seconds to end",
  settings: STATE_SETTINGS,
  examples: ["codex-api-proxy stop"],
  async run({ platform, given }) {
    const { settings } = await settingsWithSaved(platform, given);
    try {
      return await whileLocked(platform, settings, () => stopServer(platform, settings));
    } catch (error) {
      // Where no state can be written none was, and nothing runs; a server that is there is not passed over.
      const unwritable = ["EACCES", "EPERM", "EROFS"].includes(String((error as { code?: unknown }).code));
      if (!unwritable || (await findInstance(platform, settings.pid_file))) throw error;
      platform.write("stdout", NOT_RUNNING);
      return 0;
    }
  },
};

/** Ends the server if there is one, and tells it. The caller holds the lock. */
export async function stopServer(platform: Platform, settings: Settings): Promise<number> {
  const instance = await findInstance(platform, settings.pid_file);
  if (!instance) {
    platform.write("stdout", NOT_RUNNING);
    return 0;
  }
  const outcome = await endInstance(platform, settings.pid_file, instance);
  if (outcome === "alive") {
    platform.write("stderr", `ERROR: codex-api-proxy with pid ${instance.pid} could not be ended\n`);
    return 1;
  }
  const how = outcome === "killed" ? " (it did not end by itself and was killed)" : "";
  platform.write("stdout", `codex-api-proxy stopped pid ${instance.pid}${how}\n`);
  return 0;
}
