import type { Command } from "./command.ts";
export const doctor: Command = { name: "doctor", summary: "", settings: [], examples: [], run: async () => 1 };
