import type { Command } from "./command.ts";
export const service: Command = { name: "service", summary: "", settings: [], examples: [], run: async () => 1 };
