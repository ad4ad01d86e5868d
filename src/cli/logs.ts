import { type Command, STATE_SETTINGS } from "./command.ts";
import { createReader } from "./log-reader.ts";
import { settingsWithSaved } from "./own-server.ts";
import { UsageError } from "./usage-error.ts";

const POLL_MS = 300;

/** `logs`: the end of the log file, and with `-f` what comes after. */
export const logs: Command = {
  name: "logs",
  summary: "show the log of the server in the background",
  settings: STATE_SETTINGS,
  flags: [
    { flag: "follow", kind: "boolean", help: "go on with what is logged from now; also -f" },
    { flag: "lines", kind: "text", hint: "N", help: "how many lines from the end, 50 by default; also -l N" },
  ],
  examples: ["codex-api-proxy logs", "codex-api-proxy logs -f", "codex-api-proxy logs --lines 500 | grep error"],
  async run({ platform, given, isSet, text }) {
    const wanted = text("lines") ?? "50";
    if (!/^\d{1,7}$/.test(wanted)) throw new UsageError("--lines must be a whole number");
    const { settings } = await settingsWithSaved(platform, given);
    const reader = createReader(platform.files, settings.log_file);
    const whole = await reader.next();
    if (whole === undefined) {
      platform.write("stderr", `there is no log yet: ${settings.log_file}\n`);
      return 1;
    }
    const count = Number(wanted);
    const lines = whole.split(/(?<=\n)/);
    platform.write("stdout", count === 0 ? "" : lines.slice(-count).join(""));
    if (!isSet("follow")) return 0;
    let stopped = false;
    platform.processes.onShutdown(() => {
      stopped = true;
    });
    while (!stopped) {
      await platform.clock.sleep(POLL_MS);
      const more = await reader.next();
      if (more) platform.write("stdout", more);
    }
    return 0;
  },
};
