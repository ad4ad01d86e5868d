import type { Command } from "./command.ts";
import { UsageError } from "./usage-error.ts";

const PROGRAM = "codex-api-proxy";

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
  async run({ platform, operands: [shell = "", ...more] }) {
    if (more.length > 0 || !Object.hasOwn(SCRIPTS, shell)) throw new UsageError("completions takes bash, zsh or fish");
    const [{ loadCommands }, { completedCommands }, script] = await Promise.all([
      import("./index.ts"),
      import("./completions/words.ts"),
      SCRIPTS[shell as keyof typeof SCRIPTS](),
    ]);
    platform.write("stdout", script(PROGRAM, completedCommands(await loadCommands())));
    return 0;
  },
};

const SCRIPTS = {
  bash: async () => (await import("./completions/bash.ts")).bashScript,
  zsh: async () => (await import("./completions/zsh.ts")).zshScript,
  fish: async () => (await import("./completions/fish.ts")).fishScript,
};
