import { isTerminal, type UpstreamEvent } from "../canonical/event.ts";
import type { ForcedCall } from "../canonical/forced-call.ts";
import { createLimiter, type Limiter } from "../canonical/limit.ts";
import { restoreNames } from "../canonical/names.ts";
import type { CanonicalRequest } from "../canonical/request.ts";
import type { AnswerContext } from "../dialects/dialect.ts";
import { ProxyError } from "../errors.ts";
import type { EventFlow } from "../stream/event-flow.ts";
import type { UpstreamAnswer } from "../upstream/send.ts";
import type { RelayDeps } from "./request.ts";

/** A forced call told, names restored, then local limits; most answers need none and reach the encoder directly. */
export function withStages(
  emit: (event: UpstreamEvent) => void,
  call: ForcedCall | undefined,
  names: ReadonlyMap<string, string> | undefined,
  limiter: Limiter | undefined,
): (event: UpstreamEvent) => void {
  const limited = limiter ? (event: UpstreamEvent) => limiter.push(event, emit) : emit;
  const named = names ? (event: UpstreamEvent) => limited(restoreNames(event, names)) : limited;
  return call ? (event) => call.push(event, named) : named;
}

export function createLimit(
  deps: RelayDeps,
  canonical: CanonicalRequest,
  answer: UpstreamAnswer,
  context: AnswerContext,
): Limiter | undefined {
  if (canonical.stop.length === 0 && answer.maxOutputTokens === undefined) return undefined;
  const limits = { stop: canonical.stop, maxOutputTokens: answer.maxOutputTokens };
  return createLimiter(limits, {
    prepare: () => deps.tokens.warm(),
    count: (text) => deps.tokens.tokenizer.count(text),
    truncate: (text, tokens) => deps.tokens.tokenizer.truncate(text, tokens),
    inputTokens: context.inputTokens,
  });
}

/** Hands a flow's events on until the answer is over. */
export function consumeFlow(
  flow: EventFlow,
  push: (event: UpstreamEvent) => void,
  limiter: Limiter | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let over = false;
    flow.attach({
      event(event) {
        // What has queued up behind the end is no part of the answer.
        if (over) return;
        push(event);
        if (limiter?.done()) {
          over = true;
          resolve();
          flow.cancel();
        } else if (isTerminal(event.type)) {
          over = true;
          flow.finish();
          resolve();
        }
      },
      // A stream that has ended by the time its events are handed over tells so after the answer's last event, too.
      end: () => over || reject(endedEarly()),
      error: reject,
    });
  });
}

export function endedEarly(): ProxyError {
  return new ProxyError(
    "upstream_protocol",
    "upstream closed the stream before the answer was complete; send the request again",
  );
}
