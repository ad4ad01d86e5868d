import type { Command } from "./command.ts";
export const setup: Command = { name: "setup", summary: "", settings: [], examples: [], run: async () => 1 };
