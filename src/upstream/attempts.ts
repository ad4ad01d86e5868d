import type { ProxyError } from "../errors.ts";
import type { CancelSignal, Clock } from "../platform.ts";

const FIRST_DELAY_MS = 300;
const LONGEST_DELAY_MS = 5_000;
/** A longer `retry-after` is left to the client, who is told of it. */
const LONGEST_RETRY_AFTER_MS = 10_000;

/** How often one client request may still be sent upstream; shared by all who repeat it. */
export class AttemptBudget {
  #left: number;
  #waits = 0;
  readonly #random: () => number;

  /** @param max Upstream requests in all, the first included. */
  constructor(max: number, random: () => number = Math.random) {
    this.#left = Math.max(1, max);
    this.#random = random;
  }

  get left(): number {
    return this.#left;
  }

  /** Uses one attempt; false when there was none left. */
  take(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }

  /**
   * Waits before a repeat (backoff with jitter, or what `failure` says); false when there is no attempt left or the
   * wait would be too long. The repeat itself takes the attempt. Rejects with `signal.reason` when aborted.
   */
  async retry(clock: Clock, failure: ProxyError, signal: CancelSignal): Promise<boolean> {
    if (this.#left === 0 || signal.aborted) return false;
    const told = failure.retryAfter === undefined ? 0 : failure.retryAfter * 1000;
    if (told > LONGEST_RETRY_AFTER_MS) return false;
    const backoff = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#waits++);
    // Half fixed, half random: clients that failed together do not come back together.
    await clock.sleep(Math.max(told, Math.round(backoff * (0.5 + this.#random() / 2))), signal);
    return true;
  }
}
