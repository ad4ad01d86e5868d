/**
 * Loads the built server on each runtime for minutes and prints heap, memory and descriptors as it goes; fails when they
 * grow. `node scripts/soak.mjs [minutes] [runtime,…]`, by default 5 minutes on each of node20, node24, bun and deno.
 */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [minutes = "5", runtimes] = process.argv.slice(2);
const env = { ...process.env, SOAK_MINUTES: minutes, ...(runtimes && { CONFORMANCE_RUNTIMES: runtimes }) };
const run = (file, ...args) =>
  spawnSync(process.execPath, [join(root, file), ...args], { cwd: root, env, stdio: "inherit" });

const { status: built } = run("scripts/build.mjs");
if (built !== 0) process.exit(built ?? 1);
process.exit(
  run("node_modules/vitest/vitest.mjs", "run", "--root", "test/soak", "--disable-console-intercept").status ?? 1,
);
