import type { CompletedCommand, Values } from "./words.ts";

/** A completion script for bash, also that of macOS (3.2). */
export function bashScript(program: string, commands: readonly CompletedCommand[]): string {
  return `_codex_api_proxy() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" words="" operands=""
  COMPREPLY=()
  # bash takes --flag=value for three words.
  if [ "$cur" = "=" ]; then cur=""; elif [ "$prev" = "=" ]; then prev="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")} --help --version" -- "$cur"))
    return
  fi
  case " \${COMP_WORDS[*]:1:COMP_CWORD-1} " in
    *" -- "*) [ "\${COMP_WORDS[1]}" = run ] && COMPREPLY=($(compgen -c -- "$cur")); return ;;
  esac
  case "$prev" in
${valueCases(commands).join("\n")}
  esac
  case "\${COMP_WORDS[1]}" in
${commands.map(commandCase).join("\n")}
    *) return ;;
  esac
  case "$cur" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$cur")) ;;
    *) COMPREPLY=($(compgen -W "$operands" -- "$cur")); compopt +o default 2>/dev/null ;;
  esac
}
complete -o default -F _codex_api_proxy ${program}
`;
}

/** A flag means the same in every command; those with the same values share a line. */
function valueCases(commands: readonly CompletedCommand[]): string[] {
  const flagsOf = new Map<string, Set<string>>();
  for (const { name, values } of commands.flatMap(({ flags }) => flags)) {
    if (values === undefined) continue;
    const action = valueAction(values);
    flagsOf.set(action, (flagsOf.get(action) ?? new Set()).add(name));
  }
  return [...flagsOf].map(([action, names]) => `    ${[...names].join("|")}) ${action} ;;`);
}

function valueAction(values: Values): string {
  // Nothing said: bash's own default, files.
  if (values === "file") return "return";
  if (values === "free") return "compopt +o default 2>/dev/null; return";
  return `COMPREPLY=($(compgen -W "${values.join(" ")}" -- "$cur")); compopt +o default 2>/dev/null; return`;
}

function commandCase({ name, flags, operands }: CompletedCommand): string {
  const words = flags.map((flag) => flag.name).join(" ");
  return `    ${name}) words="${words}" operands="${operands === "command" ? "--" : operands.join(" ")}" ;;`;
}
