import type { Memory } from "../platform.ts";

/** Without activity for so long the process is quiet: nobody notices the pause of a garbage collection. */
const QUIET_MS = 250;
/** Less growth than this is not worth the CPU, bytes. */
const WORTH = 16 * 1024 * 1024;
/** Trims are at least so far apart. */
const APART_MS = 2_000;

/** Gives memory back between bursts. */
export interface IdleMemory {
  /** Something happened for a client. On the hot path: it only counts. */
  active(): void;
  /** Nothing is trimmed any more. */
  stop(): void;
}

/**
 * Runtimes let their heaps grow by tens of megabytes of garbage before they look for any, and return little of it while they
 * are busy; once quiet they have no reason to look. A server that is left on for months does it for them: when a burst is
 * over, or all of its readers stand still.
 */
export function createIdleMemory(memory: Memory): IdleMemory {
  let activity = 0;
  let seen = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;
  /** Size after the last trim, bytes. */
  let low = memory.resident() ?? 0;

  function watch(ms: number): void {
    seen = activity;
    timer = setTimeout(look, ms);
  }

  function look(): void {
    if (activity !== seen) watch(QUIET_MS);
    else void trim();
  }

  async function trim(): Promise<void> {
    if ((memory.resident() ?? 0) - low >= WORTH) {
      await memory.trim();
      low = memory.resident() ?? low;
      if (!stopped) timer = setTimeout(rest, APART_MS);
    } else timer = undefined;
  }

  /** What happened meanwhile has not been looked at. */
  function rest(): void {
    if (activity === seen) timer = undefined;
    else watch(QUIET_MS);
  }

  return {
    active() {
      activity++;
      if (timer === undefined && !stopped) watch(QUIET_MS);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
