import { defineConfig } from "vitest/config";

/** The long run; `node scripts/soak.mjs` starts it. */
export default defineConfig({ test: { include: ["test/soak/soak.test.ts"], disableConsoleIntercept: true } });
