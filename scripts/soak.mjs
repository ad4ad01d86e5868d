/**
 * Loads the built server on each runtime for minutes and prints heap, memory and descriptors as it goes; fails when they
 * grow. `node scripts/soak.mjs [minutes] [runtime,…]`, by default 5 minutes on each of node20, node24, bun and deno.
 */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startVitest } from "vitest/node";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [minutes = "5", runtimes] = process.argv.slice(2);
process.env.SOAK_MINUTES = minutes;
if (runtimes) process.env.CONFORMANCE_RUNTIMES = runtimes;

const build = spawnSync(process.execPath, [join(root, "scripts/build.mjs")], { stdio: "inherit" });
if (build.status !== 0) process.exit(build.status ?? 1);
const options = { root: join(root, "test/soak"), config: false, watch: false, disableConsoleIntercept: true };
const vitest = await startVitest("test", [], options);
await vitest.close();
