import { flagOf, OPTIONS, type Option, type SettingName } from "../config/options.ts";
import type { GivenValues } from "../config/settings.ts";
import type { Platform } from "../platform.ts";

/** One flag as the command line knows it. */
export interface Flag {
  readonly flag: string;
  readonly kind: "text" | "boolean" | "list";
  readonly hint?: string;
  /** The words it takes, where those are all. */
  readonly choices?: readonly string[];
  readonly help: string;
  /** A setting of the server: also takes `--no-…`, and has a row in the table of options. */
  readonly option?: Option;
}

/** One command of the CLI. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Arguments beside the flags, as `--help` shows them; none are allowed when absent. */
  readonly operands?: string;
  /** Settings that it takes as flags. */
  readonly settings: "all" | readonly SettingName[];
  readonly flags?: readonly Flag[];
  readonly examples: readonly string[];
  /** Runs it and gives the exit code. */
  run(call: Call): Promise<number>;
}

/** What the user asked of a command. */
export interface Call {
  readonly platform: Platform;
  /** Settings given as flags. */
  readonly given: GivenValues;
  isSet(flag: string): boolean;
  text(flag: string): string | undefined;
  list(flag: string): readonly string[];
  readonly operands: readonly string[];
  /** What stands behind `--`; undefined without one. */
  readonly rest: readonly string[] | undefined;
}

/** Where the running server's traces are: for commands that only look after it. */
export const STATE_SETTINGS: readonly SettingName[] = ["pid_file", "log_file", "state_file"];

/** Every flag of a command. */
export function flagsOf(command: Command): Flag[] {
  const options = OPTIONS.filter(({ name }) => command.settings === "all" || command.settings.includes(name));
  return [...(command.flags ?? []), ...options.map(toFlag)];
}

function toFlag(option: Option): Flag {
  const { type, choices, hint, help } = option;
  const kind = type === "boolean" ? "boolean" : type === "list" || type === "secrets" ? "list" : "text";
  const shown = hint ?? choices?.join("|") ?? "VALUE";
  return { flag: flagOf(option.name), kind, hint: shown, help, option, ...(choices === undefined ? {} : { choices }) };
}
