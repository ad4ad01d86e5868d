import { readEvent, type UpstreamEvent } from "../canonical/event.ts";
import { ProxyError } from "../errors.ts";
import type { ByteFlow, UpstreamResponse } from "../platform.ts";
import { createSseDecoder } from "../sse/decode.ts";

/** Takes the events of one upstream stream. A throw from `event` ends the flow with that error. */
export interface EventConsumer {
  event(event: UpstreamEvent): void;
  /** The stream ended in order; whether the answer was complete is for the consumer to know. */
  end(): void;
  error(error: ProxyError): void;
}

/** Upstream's events, pushed as they arrive. Without a consumer they queue up, so that it can be changed on the way. */
export interface EventFlow {
  /** Hands over the events: first those that have queued up, then each as it arrives. */
  attach(consumer: EventConsumer): void;
  /** Takes the consumer away and puts back what it has seen, for the next one. */
  requeue(seen: readonly UpstreamEvent[]): void;
  pause(): void;
  resume(): void;
  /** The answer is complete: lets the connection end in order, so that it can be used again, and frees it if it does not. */
  finish(): void;
  /** Nobody wants the rest: frees the connection at once. */
  cancel(): void;
}

/** How long upstream may take to end its stream after the terminal event before the connection is cut. */
const END_GRACE_MS = 1_000;
/** An answer is long, and longer, each time that its bytes and the texts made of them come to so much. */
const LONG = 2 * 1024 * 1024;

/**
 * Reads a response body as upstream events.
 * @param idleMs give up after so long without a byte; 0: never.
 * @param onLong the answer has gone on for another `LONG`; an event of that size has been consumed by then.
 */
export function readEvents(response: UpstreamResponse, idleMs: number, onLong?: () => void): EventFlow {
  let consumer: EventConsumer | undefined;
  let queue: UpstreamEvent[] = [];
  let state: "open" | "finishing" | "closed" = "open";
  let length = 0;
  let outcome: "end" | ProxyError | undefined;
  let flow: ByteFlow | undefined;
  let heardAt = idleMs > 0 ? Date.now() : 0;
  let grace: ReturnType<typeof setTimeout> | undefined;
  const watch = idleMs > 0 ? setInterval(checkIdle, Math.min(idleMs, 1_000)) : undefined;

  function checkIdle(): void {
    if (Date.now() - heardAt < idleMs) return;
    fail(new ProxyError("upstream_timeout", `upstream sent nothing for ${Math.round(idleMs / 1000)} seconds`));
  }

  /** Ends the flow, once; a consumer that has its whole answer does not hear of it. */
  function close(how: "end" | ProxyError): void {
    if (state === "closed") return;
    const wanted = state === "open";
    state = "closed";
    clearInterval(watch);
    // Left alone it would keep the whole answer alive for its time.
    clearTimeout(grace);
    if (!wanted) return;
    outcome = how;
    tellOutcome();
  }

  function tellOutcome(): void {
    if (!consumer || outcome === undefined || queue.length > 0) return;
    if (outcome === "end") consumer.end();
    else consumer.error(outcome);
  }

  function fail(error: ProxyError): void {
    flow?.cancel();
    close(error);
  }

  const decoder = createSseDecoder((data) => {
    if (state !== "open") return;
    length += data.length;
    const event = readEvent(data);
    if (!event) return;
    if (consumer) consumer.event(event);
    else queue.push(event);
  });

  flow = response.read({
    chunk(bytes) {
      if (state === "closed") return;
      if (idleMs > 0) heardAt = Date.now();
      try {
        decoder.push(bytes);
      } catch (cause) {
        fail(describe(cause));
      }
      length += bytes.length;
      if (length < LONG) return;
      length = 0;
      onLong?.();
    },
    end() {
      try {
        if (state === "open") decoder.end();
      } catch (cause) {
        fail(describe(cause));
      }
      close("end");
    },
    error(cause) {
      close(
        new ProxyError("upstream_unreachable", "the connection to upstream broke before the answer was complete", {
          cause,
        }),
      );
    },
  });

  return {
    attach(next) {
      consumer = next;
      try {
        // The consumer may leave while it is being served.
        while (consumer === next && queue.length > 0) next.event(queue.shift() as UpstreamEvent);
      } catch (cause) {
        // What has queued up behind the event would keep the failure from being told.
        queue = [];
        if (state === "closed") outcome = describe(cause);
        else fail(describe(cause));
      }
      if (consumer === next) tellOutcome();
    },
    requeue(seen) {
      consumer = undefined;
      queue = [...seen, ...queue];
    },
    pause: () => flow?.pause(),
    resume: () => flow?.resume(),
    finish() {
      if (state !== "open") return;
      state = "finishing";
      flow?.resume();
      clearInterval(watch);
      grace = setTimeout(() => {
        if (state !== "closed") fail(CANCELLED);
      }, END_GRACE_MS);
    },
    cancel() {
      if (state !== "closed") fail(CANCELLED);
    },
  };
}

const CANCELLED = new ProxyError("cancelled", "the answer is not wanted any more");

function describe(cause: unknown): ProxyError {
  if (cause instanceof ProxyError) return cause;
  if (cause instanceof SyntaxError)
    return new ProxyError("upstream_protocol", "upstream sent an event that is not JSON", { cause });
  return new ProxyError("internal", "internal error while translating the answer; see the log", { cause });
}
