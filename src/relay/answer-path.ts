import type { UpstreamEvent } from "../canonical/event.ts";
import { createForcedCall } from "../canonical/forced-call.ts";
import type { AnswerContext } from "../dialects/dialect.ts";
import { ProxyError } from "../errors.ts";
import { Cancellation } from "../stream/cancellation.ts";
import { type EventFlow, readEvents } from "../stream/event-flow.ts";
import { AttemptBudget } from "../upstream/attempts.ts";
import type { UpstreamAnswer } from "../upstream/send.ts";
import { beginning, mayRepeat } from "./beginning.ts";
import { consumeFlow, createLimit, withStages } from "./consume.ts";
import { createObserver } from "./observer.ts";
import type { RelayDeps, RelayRequest } from "./request.ts";

/** One upstream answer on its way to the client. */
export interface AnswerPath {
  readonly context: AnswerContext;
  /** Sends the request and waits until the answer has begun; repeats while nothing has been shown. */
  open(): Promise<OpenAnswer>;
  cancel(): void;
}

export interface OpenAnswer {
  readonly answer: UpstreamAnswer;
  /** Feeds the encoder or collector; resolves when the answer is over, rejects with what broke it. */
  consume(push: (event: UpstreamEvent) => void): Promise<void>;
  pause(): void;
  resume(): void;
}

export function createPath<Body>(deps: RelayDeps, request: RelayRequest<Body>, id: string, index: number): AnswerPath {
  const { exchange, canonical } = request;
  const abort = new Cancellation();
  let inputTokens: number | undefined;
  let flow: EventFlow | undefined;
  const cancel = () => {
    abort.abort(new ProxyError("cancelled", "the client closed the connection"));
    flow?.cancel();
  };
  exchange.signal.addEventListener("abort", cancel, { once: true });

  const context: AnswerContext = {
    id,
    createdAt: Math.floor(deps.clock.now() / 1000),
    requestId: exchange.requestId,
    inputTokens() {
      inputTokens ??= deps.tokens.estimate(canonical.body);
      return inputTokens;
    },
    choice: { index, of: canonical.copies ?? 1 },
  };

  async function open(): Promise<OpenAnswer> {
    if (exchange.signal.aborted) cancel();
    const attempts = new AttemptBudget(deps.config.maxAttempts);
    let { credentials } = exchange;
    for (;;) {
      const answer = await withinIdleTime(deps.config.idleTimeout, abort, () =>
        deps.upstream.send(canonical, { signal: abort, header: exchange.header, attempts, credentials }),
      );
      credentials = undefined;
      exchange.facts.upstreamHeadersAt ??= deps.clock.now();
      exchange.upstream = answer.response;
      exchange.facts.upstreamModel = answer.model;
      exchange.facts.upstreamMode = answer.mode;
      const next = readEvents(answer.response, deps.config.idleTimeout * 1000, deps.work?.long);
      flow = next;
      abort.throwIfAborted();
      const failure = await beginning(next, abort);
      if (!failure || canonical.native) return follow(answer, next);
      next.cancel();
      deps.metrics.upstreamFailed(failure.kind);
      if (!(await mayRepeat(deps, failure, attempts, abort))) throw failure;
    }
  }

  function follow(answer: UpstreamAnswer, from: EventFlow): OpenAnswer {
    const observer = createObserver(deps, request, answer, context);
    const limiter = createLimit(deps, canonical, answer, context);
    return {
      answer,
      pause: from.pause,
      resume: from.resume,
      consume: (push) => {
        const emit = (event: UpstreamEvent) => {
          observer.see(event);
          push(event);
        };
        const call = answer.forcedCall === undefined ? undefined : createForcedCall(answer.forcedCall, deps.newId);
        return consumeFlow(from, withStages(emit, call, answer.restoreNames, limiter), limiter);
      },
    };
  }

  return { context, open, cancel };
}

/** Upstream's headers may take no longer than the silence of a stream; 0 seconds: as long as they like. */
async function withinIdleTime<T>(seconds: number, abort: Cancellation, work: () => Promise<T>): Promise<T> {
  if (seconds === 0) return work();
  const late = (): void =>
    abort.abort(new ProxyError("upstream_timeout", `upstream did not answer within ${seconds} seconds`));
  const timer = setTimeout(late, seconds * 1000);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}
