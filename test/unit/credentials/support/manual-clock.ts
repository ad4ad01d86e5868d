import type { Clock } from "../../../../src/platform.ts";

/** A clock that moves only when a test says so. */
export interface ManualClock extends Clock {
  /** Moves on, waking sleepers on the way in their order. */
  advance(ms: number): Promise<void>;
  /** Time of sleepers, from now. */
  readonly pending: number[];
}

export function manualClock(start = Date.parse("2026-11-22T12:00:00Z")): ManualClock {
  let now = start;
  const sleepers = new Set<{ at: number; wake: () => void }>();
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { at: now + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        });
      }),
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        await quiet();
        const next = [...sleepers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        now = Math.max(now, next.at);
        sleepers.delete(next);
        next.wake();
      }
      now = end;
      await quiet();
    },
    get pending() {
      return [...sleepers].map(({ at }) => at - now);
    },
  };
}

/** Lets everything that is ready run; hashing happens beside the event loop and takes a moment of real time. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((done) => setImmediate(done));
  await new Promise((done) => setTimeout(done, 5));
}
