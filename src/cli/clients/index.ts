import { claudeCode } from "./claude-code.ts";
import type { Client } from "./client.ts";
import { codex } from "./codex.ts";
import { openclaw } from "./openclaw.ts";
import { opencode } from "./opencode.ts";
import { sdk } from "./sdk.ts";

/** Every program that `setup` knows. */
export const CLIENTS: readonly Client[] = [claudeCode, codex, opencode, openclaw, sdk];

/** A script, `npx` or a shell may start any of them: it gets the variables of all. */
const unknown: Client = {
  ...sdk,
  launch(args, target) {
    const all = [opencode, codex, claudeCode, sdk].map((client) => client.launch([], target, undefined).env);
    return { args, env: Object.assign({}, ...all) as Record<string, string | undefined> };
  },
};

/** The client behind a command line's program. */
export function clientOf(command: string): Client {
  const program = (command.split(/[/\\]/).at(-1) ?? "").replace(/\.(exe|cmd|ps1)$/i, "");
  return CLIENTS.find(({ commands }) => commands.includes(program)) ?? unknown;
}
