import type { Clock } from "../platform.ts";

/** What {@link withDeadline} rejects with when the time is up. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/** Runs `work` for at most `ms`; then its signal is aborted and the result is not waited for any longer. */
export async function withDeadline<T>(clock: Clock, ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const timer = new AbortController();
  const late = clock.sleep(ms, timer.signal).then(() => {
    stop.abort(new DeadlineError("deadline passed"));
    throw stop.signal.reason;
  });
  late.catch(() => {});
  try {
    return await Promise.race([work(stop.signal), late]);
  } finally {
    timer.abort();
  }
}
