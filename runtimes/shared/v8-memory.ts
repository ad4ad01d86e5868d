import type { Memory } from "../../src/platform.ts";

/**
 * Memory of Node and Deno. V8 offers a program no collection of its own; to a debugger it does, of the kind for a system that
 * is short of memory, and the program may be its own.
 */
export const v8Memory: Memory = {
  resident: () => process.memoryUsage.rss(),
  // A runtime that was built without an inspector keeps what it has.
  trim: () => collect().catch(() => {}),
};

async function collect(): Promise<void> {
  const { Session } = await import("node:inspector");
  const session = new Session();
  session.connect();
  try {
    await new Promise<void>((resolve) => session.post("HeapProfiler.collectGarbage", () => resolve()));
  } finally {
    session.disconnect();
  }
}
