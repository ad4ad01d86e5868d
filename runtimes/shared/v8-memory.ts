import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Memory } from "../../src/platform.ts";
import { residentBytes } from "./resident-bytes.ts";

let gc: (() => void) | undefined;

/**
 * Memory of Node and Deno. A context made while V8's flag is set has its collector. That one keeps compiled code, while the
 * debugger's, for a system that is short of memory, drops it: the next requests would cost half as much again.
 */
export const v8Memory: Memory = {
  resident: residentBytes,
  async trim() {
    gc ??= collector();
    gc();
  },
};

function collector(): () => void {
  try {
    setFlagsFromString("--expose-gc");
    return runInNewContext("gc") as () => void;
  } catch {
    // A runtime that has none keeps what it has.
    return () => {};
  } finally {
    setFlagsFromString("--no-expose-gc");
  }
}
