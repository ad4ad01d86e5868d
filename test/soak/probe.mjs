/**
 * Starts the program named by `PROBE_ENTRY` in this process and, on SIGUSR2, collects garbage and writes the memory in use to
 * `PROBE_FILE`, as JSON: `{"heap": bytes, "resident": bytes}`.
 */
import { renameSync, writeFileSync } from "node:fs";
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const { PROBE_ENTRY, PROBE_FILE } = process.env;

function collectGarbage() {
  if (globalThis.Bun !== undefined) return globalThis.Bun.gc(true);
  // Deno is given the flag by DENO_V8_FLAGS.
  if (globalThis.gc === undefined) {
    setFlagsFromString("--expose-gc");
    globalThis.gc = runInNewContext("gc");
  }
  globalThis.gc();
}

async function heapInUse() {
  if (globalThis.Bun === undefined) return process.memoryUsage().heapUsed;
  const { heapStats } = await import("bun:jsc");
  return heapStats().heapSize;
}

process.on("SIGUSR2", async () => {
  for (let turn = 0; turn < 3; turn++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  writeFileSync(`${PROBE_FILE}.new`, JSON.stringify({ heap: await heapInUse(), resident: process.memoryUsage().rss }));
  renameSync(`${PROBE_FILE}.new`, PROBE_FILE);
});

await import(PROBE_ENTRY);
