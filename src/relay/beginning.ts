import { isTerminal, type UpstreamEvent } from "../canonical/event.ts";
import { failureOfEvent } from "../canonical/failure.ts";
import type { ProxyError } from "../errors.ts";
import type { CancelSignal } from "../platform.ts";
import type { EventConsumer, EventFlow } from "../stream/event-flow.ts";
import type { AttemptBudget } from "../upstream/attempts.ts";
import { endedEarly } from "./consume.ts";
import type { RelayDeps } from "./request.ts";

/** Event types that come before any output and commit to nothing. */
const HANDSHAKE = new Set([
  "response.created",
  "response.in_progress",
  "response.queued",
  "response.metadata",
  "keepalive",
]);

/**
 * Waits until output begins, keeping all events for the next consumer.
 * Gives the failure when the stream ends, breaks or reports an error before that.
 */
export function beginning(flow: EventFlow, signal: CancelSignal): Promise<ProxyError | undefined> {
  return new Promise((resolve, reject) => {
    const seen: UpstreamEvent[] = [];
    const leave = () => reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    const settle = (failure: ProxyError | undefined) => {
      signal.removeEventListener("abort", leave);
      flow.requeue(seen);
      resolve(failure);
    };
    const consumer: EventConsumer = {
      event(event) {
        seen.push(event);
        if (HANDSHAKE.has(event.type) || !event.type.startsWith("response.")) {
          if (event.type === "error") settle(failureOfEvent(event.value));
          return;
        }
        settle(isTerminal(event.type) ? failureOfEvent(event.value) : undefined);
      },
      end: () => settle(endedEarly()),
      error: (error) => settle(error),
    };
    flow.attach(consumer);
  });
}

/** Kinds of failure that pass by themselves. A used-up plan does not, nor does anything that the request is to blame for. */
export async function mayRepeat(
  deps: RelayDeps,
  failure: ProxyError,
  attempts: AttemptBudget,
  signal: CancelSignal,
): Promise<boolean> {
  const passing =
    failure.kind === "overloaded" ||
    failure.kind === "upstream_unreachable" ||
    failure.kind === "upstream_protocol" ||
    (failure.kind === "rate_limit" && (failure.retryAfter ?? Number.POSITIVE_INFINITY) <= 10) ||
    (failure.kind === "upstream_status" && failure.status >= 500);
  return passing && attempts.retry(deps.clock, failure, signal);
}
