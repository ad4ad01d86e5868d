import { type Command, flagsOf } from "./command.ts";
import { UsageError } from "./usage-error.ts";

const NAME = "codex-api-proxy";

/** `completions bash|zsh|fish`: a script for the shell to load. */
export const completions: Command = {
  name: "completions",
  summary: "print completions for bash, zsh or fish",
  settings: [],
  operands: "bash|zsh|fish",
  examples: [
    'eval "$(codex-api-proxy completions bash)"',
    "codex-api-proxy completions zsh > ~/.zfunc/_codex-api-proxy",
    "codex-api-proxy completions fish > ~/.config/fish/completions/codex-api-proxy.fish",
  ],
  async run({ platform, operands }) {
    const { loadCommands } = await import("./index.ts");
    const commands = await loadCommands();
    const scripts: Record<string, (commands: readonly Command[]) => string> = { bash, zsh, fish };
    const script = operands.length === 1 ? scripts[operands[0] as string] : undefined;
    if (!script) throw new UsageError("completions takes bash, zsh or fish");
    platform.write("stdout", script(commands));
    return 0;
  },
};

const flagNames = (command: Command): string[] => [...flagsOf(command).map(({ flag }) => `--${flag}`), "--help"];

function bash(commands: readonly Command[]): string {
  const cases = commands.map((command) => `    ${command.name}) words="${flagNames(command).join(" ")}" ;;`);
  return `_codex_api_proxy() {
  local words cur="\${COMP_WORDS[COMP_CWORD]}"
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
    *) words="" ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${commands.map(({ name }) => name).join(" ")} --help --version"
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _codex_api_proxy ${NAME}
`;
}

function zsh(commands: readonly Command[]): string {
  const names = commands.map(({ name, summary }) => `    '${name}:${quote(summary)}'`);
  const cases = commands.map((command) => {
    const specs = flagsOf(command).map(({ flag, kind, help, hint }) => {
      const value = kind === "boolean" ? "" : `:${quote(hint ?? "value")}:_files`;
      return `'${kind === "list" ? "*" : ""}--${flag}[${quote(help)}]${value}'`;
    });
    return `    ${command.name}) _arguments ${[...specs, "'--help[show help]'"].join(" ")} '*:file:_files' ;;`;
  });
  return `#compdef ${NAME}
_codex_api_proxy() {
  local -a commands=(
${names.join("\n")}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  local name=$words[2]
  shift words; (( CURRENT-- ))
  case $name in
${cases.join("\n")}
  esac
}
if [ "$funcstack[1]" = "_codex-api-proxy" ]; then _codex_api_proxy "$@"; else compdef _codex_api_proxy ${NAME}; fi
`;
}

/** Inside single quotes and zsh's own brackets and colons. */
const quote = (text: string): string => text.replaceAll("'", "’").replace(/[[\]:]/g, "\\$&");

function fish(commands: readonly Command[]): string {
  const lines = commands.flatMap((command) => [
    `complete -c ${NAME} -n __fish_use_subcommand -f -a ${command.name} -d '${command.summary.replaceAll("'", "’")}'`,
    ...flagsOf(command).map(({ flag, kind, help }) => {
      const value = kind === "boolean" ? "" : " -r";
      return `complete -c ${NAME} -n '__fish_seen_subcommand_from ${command.name}' -l ${flag}${value} -d '${help.replaceAll("'", "’")}'`;
    }),
  ]);
  return `${lines.join("\n")}\n`;
}
