import type { CompletedCommand, CompletedFlag } from "./words.ts";

/** A completion function for zsh, to be found as `_codex-api-proxy` in its fpath or to be evaluated. */
export function zshScript(program: string, commands: readonly CompletedCommand[]): string {
  return `#compdef ${program}
_codex_api_proxy() {
  local -a subcommands=(
${commands.map(({ name, summary }) => `    '${name}:${quote(summary)}'`).join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command subcommands
    [[ $words[2] = -* ]] && _arguments '--help[show help]' '--version[show the version]'
    return
  fi
  local name=$words[2]
  shift words; (( CURRENT-- ))
  case $name in
${commands.map(commandCase).join("\n")}
  esac
}
if [ "$funcstack[1]" = "_codex-api-proxy" ]; then _codex_api_proxy "$@"; else compdef _codex_api_proxy ${program}; fi
`;
}

function commandCase({ name, flags, operands }: CompletedCommand): string {
  const specs = flags.map(flagSpec).join(" ");
  if (operands === "command") return `    ${name}) ${BEHIND_DASHES}; _arguments -S ${specs} ;;`;
  const operand = operands.length === 0 ? "" : ` '1:which:(${operands.join(" ")})'`;
  return `    ${name}) _arguments -S ${specs}${operand} ;;`;
}

/** The other program's own completion, for the words that are its. */
const BEHIND_DASHES =
  "local at=$words[(i)--]; if (( at < CURRENT )); then shift $at words; (( CURRENT -= at )); _normal; return; fi";

function flagSpec({ name, help, hint, values, repeatable }: CompletedFlag): string {
  const start = `'${repeatable ? "*" : ""}${name}`;
  if (values === undefined) return `${start}[${quote(help)}]'`;
  const action = values === "file" ? "_files" : values === "free" ? " " : `(${values.join(" ")})`;
  return `${start}=[${quote(help)}]:${quote(hint)}:${action}'`;
}

/** Inside single quotes and zsh's own brackets and colons. */
const quote = (text: string): string => text.replaceAll("'", "’").replace(/[[\]:]/g, "\\$&");
