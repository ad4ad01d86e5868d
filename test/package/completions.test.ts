import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../support/runtimes.ts";

const NAME = "codex-api-proxy";
const isHere = (shell: string): boolean => spawnSync(shell, ["-c", "exit 0"]).status === 0;

/** A line as it is typed up to the tab, words that must be offered, and words that must not. */
const CASES: readonly [line: string, offered: readonly string[], others: readonly string[]][] = [
  ["st", ["start", "status", "stop"], ["logs"]],
  ["start --po", ["--port"], ["--proxy"]],
  ["start --no-", ["--no-fast", "--no-strict"], ["--fast"]],
  ["start --log-level ", ["debug", "info", "warning", "error"], ["--port"]],
  ["start --log-level=d", ["debug"], ["info"]],
  ["start --log-file ", ["a-file"], ["info"]],
  ["start --port ", [], ["a-file", "info"]],
  ["service ", ["install", "print", "uninstall"], ["a-file"]],
  ["setup c", ["claude-code", "codex"], ["sdk"]],
  ["restart --unset log_l", ["log_level"], ["log_file"]],
  ["help lo", ["login", "logout", "logs"], ["start"]],
  ["run -- a-prog", ["a-program"], ["--port"]],
];

/** What each shell offers at the end of a line, by its own completion. */
const SHELLS: Record<string, (script: string, line: string) => string> = {
  bash: (script, line) => {
    // Words as readline splits them: also at `=`.
    const words = line.split(/(=)|\s/).filter((word) => word !== undefined);
    const body = `. "${script}"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _codex_api_proxy
      [ "\${#COMPREPLY[@]}" -gt 0 ] || [ -n "$closed" ] || compgen -f; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return run("bash", ["-c", `compopt() { closed=yes; }; ${body}`, "bash", ...words]);
  },
  zsh: (_script, line) => {
    const terminal = `zmodload zsh/zpty; zpty shell zsh -f -i
      zpty -w shell "PS1=; unsetopt zle_bracketed_paste; LISTMAX=9999; fpath=(\${(q)PWD} \\$fpath)"
      zpty -w shell "autoload -U compinit; compinit -u -D; zstyle ':completion:*' menu no; print rea''dy"
      zpty -r -m shell seen '*ready*'
      zpty -w -n shell "$1"$'\\t\\t'
      out=; for try in {1..40}; do sleep 0.05; while zpty -r -t shell part; do out+=$part; done; done; print -r -- $out`;
    return run("zsh", ["-f", "-c", terminal, "zsh", line]);
  },
  fish: (script, line) => run("fish", ["-c", "source $argv[1]; complete -C $argv[2]", script, line]),
};

let folder: string;

function run(shell: string, args: readonly string[]): string {
  const env = { PATH: `${folder}/programs:${process.env.PATH}`, HOME: folder, TERM: "dumb" };
  return execFileSync(shell, args, { cwd: folder, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

describe.each(Object.keys(SHELLS).filter(isHere))("completions in %s", (shell) => {
  let script: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "completions-"));
    writeFileSync(join(folder, "a-file"), "");
    mkdirSync(join(folder, "programs"));
    writeFileSync(join(folder, "programs", "a-program"), "#!/bin/sh\n", { mode: 0o755 });
    script = join(folder, `_${NAME}`);
    writeFileSync(script, execFileSync(process.execPath, [join(ROOT, "dist/node.js"), "completions", shell]));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(CASES)("of %j", (line, offered, others) => {
    const output = SHELLS[shell]?.(script, `${NAME} ${line}`) ?? "";
    const shown = output.split(/[\s=]+/);
    // A shell writes the one word that fits into the line.
    for (const word of offered) expect(shown, output).toContain(word);
    for (const word of others) expect(shown, output).not.toContain(word);
  });
});
