import { type Command, type Flag, flagsOf } from "../command.ts";

/** What may stand behind a flag: some words, a path, or whatever the user likes. */
export type Values = readonly string[] | "file" | "free";

/** A command as a shell completes it. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
  /** What it works on; `command` stands for another program's command line behind `--`. */
  readonly operands: readonly string[] | "command";
}

export interface CompletedFlag {
  /** With its dashes. */
  readonly name: string;
  readonly help: string;
  readonly hint: string;
  /** Undefined for a switch. */
  readonly values: Values | undefined;
  readonly repeatable: boolean;
}

/** The commands with everything that the shells' scripts are made of. */
export function completedCommands(commands: readonly Command[]): CompletedCommand[] {
  const help = {
    name: "help",
    summary: "show a command's options and examples",
    flags: [],
    operands: commands.map(({ name }) => name),
  };
  return [...commands.map(completedCommand), help];
}

function completedCommand(command: Command): CompletedCommand {
  const { name, summary, operands = "" } = command;
  const flags = [...flagsOf(command).flatMap(completedFlags), SHOW_HELP];
  return { name, summary, flags, operands: operands.startsWith("--") ? "command" : wordsOf(operands) };
}

const SHOW_HELP: CompletedFlag = {
  name: "--help",
  help: "show options and examples",
  hint: "",
  values: undefined,
  repeatable: false,
};

function completedFlags(flag: Flag): CompletedFlag[] {
  const { kind, help, hint = "value", option } = flag;
  const plain = {
    name: `--${flag.flag}`,
    help,
    hint,
    values: kind === "boolean" ? undefined : valuesOf(flag),
    repeatable: kind === "list",
  };
  return kind === "boolean" && option
    ? [plain, { ...plain, name: `--no-${flag.flag}`, help: `switched off: ${help}` }]
    : [plain];
}

function valuesOf({ choices, hint }: Flag): Values {
  return choices ?? (hint === "FILE" ? "file" : "free");
}

/** `a|b|c` as `--help` shows a choice of operands. */
const wordsOf = (operands: string): string[] => (/^[\w-]+(?:\|[\w-]+)+$/.test(operands) ? operands.split("|") : []);
