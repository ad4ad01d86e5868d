import { VERSION } from "../config/version.ts";
import { type Command, type Flag, flagsOf } from "./command.ts";

/** The page of `codex-api-proxy --help`. */
export function overview(commands: readonly (readonly [name: string, summary: string])[]): string {
  const width = Math.max(...commands.map(([name]) => name.length));
  return [
    `codex-api-proxy ${VERSION}`,
    "Your own Codex/ChatGPT login, or OpenAI API key, as a local OpenAI- and Anthropic-compatible server.",
    "",
    "Usage: codex-api-proxy <command> [options]",
    "",
    "Commands:",
    ...commands.map(([name, summary]) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "`codex-api-proxy <command> --help` shows a command's options and examples.",
    "Without a command: on a terminal shows the state and the next step, otherwise serves in the foreground.",
    "",
  ].join("\n");
}

/** The page of `codex-api-proxy <command> --help`. */
export function commandHelp(command: Command): string {
  const flags = flagsOf(command);
  const own = flags.filter(({ option }) => option === undefined);
  const settings = flags.filter(({ option }) => option !== undefined);
  const operands = command.operands === undefined ? "" : ` ${command.operands}`;
  const sections = [
    `codex-api-proxy ${command.name}: ${command.summary}`,
    `Usage: codex-api-proxy ${command.name} [options]${operands}`,
  ];
  if (own.length > 0) sections.push(`Options:\n${table(own)}`);
  if (settings.length > 0) sections.push(`Settings, by option or environment variable:\n${table(settings)}`);
  sections.push(`Examples:\n${command.examples.map((example) => `  ${example}`).join("\n")}`);
  return `${sections.join("\n\n")}\n`;
}

function table(flags: readonly Flag[]): string {
  const rows = flags.map((flag) => [usage(flag), explanation(flag)] as const);
  const width = Math.min(32, Math.max(...rows.map(([left]) => left.length)));
  return rows
    .map(([left, right]) =>
      left.length > width ? `  ${left}\n  ${" ".repeat(width)}  ${right}` : `  ${left.padEnd(width)}  ${right}`,
    )
    .join("\n");
}

function usage({ flag, kind, hint, option }: Flag): string {
  if (kind === "boolean") return option ? `--[no-]${flag}` : `--${flag}`;
  return `--${flag} ${hint ?? "VALUE"}`;
}

function explanation({ help, option }: Flag): string {
  if (!option) return help;
  const fallback = option.defaultText ?? option.default;
  const notes = [fallback === undefined ? [] : [`default: ${fallback}`], option.env.join(" > ")].flat();
  return `${help} [${notes.join("; ")}]`;
}
