import type { Exchange, WorkObserver } from "../exchange.ts";
import type { Memory } from "../platform.ts";

/** Without activity for so long the process is quiet: nobody notices the pause of a garbage collection. */
const QUIET_MS = 250;
/** Less growth than this is not worth the CPU, bytes. */
const WORTH = 16 * 1024 * 1024;
/** … and while a long answer is read, growth by this part of the whole: a collection walks all that lives. */
const WORTH_OF_LONG = 1 / 8;
/** Trims are at least so far apart. */
const APART_MS = 2_000;
/** V8 lets go of its young generation only where next to nothing was allocated for five seconds. */
const SETTLED_MS = 4_000;
/** So many small exchanges are kept; bytes of a request's body, tokens of its answer. */
const KEPT = 8;
const SMALL_REQUEST = 64 * 1024;
const SMALL_ANSWER = 4_000;

/** Gives memory back between bursts, and while a long answer is read. */
export interface IdleMemory extends WorkObserver {
  /** Nothing is trimmed any more. */
  stop(): void;
}

/**
 * Runtimes let their heaps grow by tens of megabytes of garbage before they look for any, and return little of it while they
 * are busy; once quiet they have no reason to look. A server that is left on for months does it for them: when a burst is
 * over, or all of its readers stand still.
 *
 * V8 throws compiled code away in a collection when no living object has the shape (hidden class) that it was compiled for.
 * A few past exchanges are kept with all that hangs on them, so that the next requests find their code.
 */
export function createIdleMemory(memory: Memory): IdleMemory {
  let activity = 0;
  let seen = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;
  /** The least size since the last trim, bytes: what it freed goes back to the system some time later. */
  let low = memory.resident() ?? 0;
  /** The same since the last trim for the sake of a long answer. */
  let left = low;
  /** A long answer has been read since the last look. */
  let isLong = false;
  const kept: Exchange[] = [];
  let next = 0;

  function watch(ms: number): void {
    seen = activity;
    timer = setTimeout(look, ms);
  }

  function look(): void {
    const size = memory.resident() ?? low;
    low = Math.min(low, size);
    if (activity !== seen) {
      memory.restrain?.(isLong);
      isLong = false;
      watch(QUIET_MS);
    } else if (size - low >= WORTH) void trim();
    else timer = undefined;
  }

  async function trim(): Promise<void> {
    await collect();
    if (!stopped) timer = setTimeout(rest, APART_MS);
  }

  /** What happened meanwhile has not been looked at. */
  function rest(): void {
    if (activity === seen) timer = setTimeout(settle, SETTLED_MS);
    else watch(QUIET_MS);
  }

  /** A second trim, which gives back what the first could not. */
  async function settle(): Promise<void> {
    if (activity === seen) await collect();
    if (stopped) return;
    if (activity === seen) timer = undefined;
    else watch(QUIET_MS);
  }

  async function collect(): Promise<void> {
    await memory.trim();
    low = memory.resident() ?? low;
    left = low;
  }

  function active(): void {
    activity++;
    if (timer === undefined && !stopped) watch(QUIET_MS);
  }

  async function long(): Promise<void> {
    active();
    isLong = true;
    memory.restrain?.(true);
    const size = memory.resident() ?? left;
    left = Math.min(left, size);
    if (size - left < left * WORTH_OF_LONG) return;
    await memory.trim();
    left = memory.resident() ?? left;
  }

  return {
    active,
    long: () => void long(),
    ended(exchange) {
      const size = Number(exchange.header("content-length") ?? Number.POSITIVE_INFINITY);
      if (size > SMALL_REQUEST || (exchange.facts.usage?.output ?? 0) > SMALL_ANSWER) return;
      kept[next] = exchange;
      next = (next + 1) % KEPT;
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
