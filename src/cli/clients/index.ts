import { claudeCode } from "./claude-code.ts";
import type { Client } from "./client.ts";
import { codex } from "./codex.ts";
import { openclaw } from "./openclaw.ts";
import { opencode } from "./opencode.ts";
import { sdk } from "./sdk.ts";

/** Every program that `setup` knows. */
export const CLIENTS: readonly Client[] = [claudeCode, codex, opencode, openclaw, sdk];

/** The client behind a command line's program; any other one is taken to use an SDK. */
export function clientOf(command: string): Client {
  const program = (command.split(/[/\\]/).at(-1) ?? "").replace(/\.(exe|cmd|ps1)$/i, "");
  return CLIENTS.find(({ commands }) => commands.includes(program)) ?? sdk;
}
