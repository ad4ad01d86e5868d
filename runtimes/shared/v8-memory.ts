import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collect: (() => void) | undefined;

/**
 * Collects garbage on V8. A context made while its flag is set has its collector. That one keeps compiled code, while the
 * debugger's, for a system that is short of memory, drops it: the next requests would cost half as much again.
 */
export function collectGarbage(): void {
  collect ??= collector();
  collect();
}

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
