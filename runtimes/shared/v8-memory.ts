import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** How the collector is called; V8 knows `flavor` from its version 12 on, and takes all of it for something else before. */
export interface Collection {
  readonly type: "major";
  readonly execution: "sync";
  /** Gives back the pages too that V8 would keep for later. */
  readonly flavor: "last-resort";
}

/** Both halves of the young generation together, bytes. A larger one saves next to no CPU. */
const MOST_YOUNG = 16 * 1024 * 1024;

let collector: ((how?: Collection) => void) | undefined;
let growthFactor = 2;

/**
 * Collects garbage on V8. A context made while its flag is set has its collector. That one keeps compiled code, while the
 * debugger's, for a system that is short of memory, drops it: the next requests would cost half as much again. Pages that are
 * nearly empty are given back too.
 */
export function collectGarbage(how?: Collection): void {
  collector ??= takeCollector();
  setFlagsFromString("--compact-on-every-full-gc");
  setFlagsFromString("--no-flush-bytecode");
  if (how === undefined) collector();
  else collector(how);
  setFlagsFromString("--flush-bytecode");
  setFlagsFromString("--no-compact-on-every-full-gc");
}

/**
 * Stops the young generation's growth once it is large enough. Left alone it grows to 32 MB, with V8 13 to 128 MB, most of it
 * garbage. The collection after a burst makes it small again, hence the way back.
 */
export function limitYoungGeneration(tight: boolean): void {
  const young = tight ? undefined : getHeapSpaceStatistics().find((space) => space.space_name === "new_space");
  const factor = (young?.space_size ?? MOST_YOUNG) < MOST_YOUNG ? 2 : 1;
  if (factor === growthFactor) return;
  setFlagsFromString(`--semi-space-growth-factor=${factor}`);
  growthFactor = factor;
}

function takeCollector(): () => void {
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
