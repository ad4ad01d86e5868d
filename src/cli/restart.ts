import { loadConfig } from "../config/load.ts";
import { OPTIONS } from "../config/options.ts";
import { readSettingName, resolveSettings } from "../config/settings.ts";
import { findInstance } from "../daemon/instance.ts";
import { readStateFile } from "../daemon/state-file.ts";
import type { Command } from "./command.ts";
import { startInBackground, whileLocked } from "./start.ts";
import { withStdinKey } from "./stdin-key.ts";
import { stopServer } from "./stop.ts";

/** `restart`: with the settings of the last start, changed by options and the environment. */
export const restart: Command = {
  name: "restart",
  summary: "stop the server and start it with its saved settings; options change them",
  settings: "all",
  flags: [
    {
      flag: "unset",
      kind: "list",
      hint: "NAME",
      choices: OPTIONS.map(({ name }) => name),
      help: "give a setting its default again; repeatable",
    },
  ],
  examples: [
    "codex-api-proxy restart",
    "codex-api-proxy restart --port 9000",
    "codex-api-proxy restart --unset proxy --unset api_key",
  ],
  async run({ platform, given, list }) {
    const flags = await withStdinKey(platform, given);
    const sources = { flags, env: platform.env, homeDir: platform.homeDir, unset: list("unset").map(readSettingName) };
    const { state_file } = resolveSettings(sources).settings;
    const saved = await readStateFile(platform.files, state_file);
    if (!saved) {
      platform.write("stderr", `codex-api-proxy config file not found: ${state_file}\n`);
      return 1;
    }
    const { settings } = resolveSettings({ ...sources, saved });
    // A server that runs is not stopped for settings that cannot work.
    await loadConfig(settings, platform);
    return whileLocked(platform, settings, async () => {
      if (await findInstance(platform, settings.pid_file)) {
        const stopped = await stopServer(platform, settings);
        if (stopped !== 0) return stopped;
      }
      return startInBackground(platform, settings);
    });
  },
};
