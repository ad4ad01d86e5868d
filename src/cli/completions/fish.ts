import type { CompletedCommand, CompletedFlag } from "./words.ts";

/** Completions for fish, a line each. */
export function fishScript(program: string, commands: readonly CompletedCommand[]): string {
  const complete = (rest: string): string => `complete -c ${program} ${rest}`;
  const lines = commands.flatMap(({ name, summary, flags, operands }) => {
    const here = `-n '__fish_seen_subcommand_from ${name}; and not contains -- -- (commandline -opc)'`;
    return [
      complete(`-n __fish_use_subcommand -f -a ${name} -d ${quote(summary)}`),
      ...flags.map((flag) => complete(`${here} ${flagWords(flag)}`)),
      ...operandWords(operands).map((words) => complete(`${here} -f${words}`)),
    ];
  });
  const atStart = ["help", "version"].map((name) => complete(`-n __fish_use_subcommand -f -l ${name}`));
  const behindDashes = "-n 'contains -- -- (commandline -opc)' -f -a '(__fish_complete_command)'";
  return `${[...lines, ...atStart, complete(behindDashes)].join("\n")}\n`;
}

function flagWords({ name, help, values }: CompletedFlag): string {
  return `-l ${name.slice(2)}${valueWords(values)} -d ${quote(help)}`;
}

function valueWords(values: CompletedFlag["values"]): string {
  if (values === undefined) return "";
  if (values === "file") return " -r -F";
  return values === "free" ? " -x" : ` -x -a ${quote(values.join(" "))}`;
}

/** Without operands no file is offered either. */
function operandWords(operands: CompletedCommand["operands"]): string[] {
  if (operands === "command") return [" -a --"];
  return [operands.length === 0 ? "" : ` -a ${quote(operands.join(" "))}`];
}

const quote = (text: string): string => `'${text.replaceAll("'", "’")}'`;
