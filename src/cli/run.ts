import type { Command } from "./command.ts";
export const run: Command = { name: "run", summary: "", settings: [], examples: [], run: async () => 1 };
