import { jsonAnswer } from "./answer.ts";
import { createCollector } from "./canonical/collect.ts";
import { type CanonicalEvent, isTerminal, type ResponsesUsage, type UpstreamEvent } from "./canonical/event.ts";
import { failureOfEvent } from "./canonical/failure.ts";
import { createForcedCall, type ForcedCall } from "./canonical/forced-call.ts";
import { createLimiter, type Limiter } from "./canonical/limit.ts";
import { restoreNames } from "./canonical/names.ts";
import type { CanonicalRequest } from "./canonical/request.ts";
import type { CanonicalResponse } from "./canonical/response.ts";
import type { ProxyConfig } from "./config/config.ts";
import type { AnswerContext, Dialect, StreamEncoder } from "./dialects/dialect.ts";
import { ProxyError, toProxyError } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import type { Log } from "./observability/log.ts";
import type { Metrics } from "./observability/metrics.ts";
import type { Answer, CancelSignal, Clock } from "./platform.ts";
import { Cancellation } from "./stream/cancellation.ts";
import { type ClientStream, createClientStream } from "./stream/client-stream.ts";
import { type EventConsumer, type EventFlow, readEvents } from "./stream/event-flow.ts";
import type { TokenCounter } from "./tokens/counter.ts";
import { AttemptBudget } from "./upstream/attempts.ts";
import type { QuotaTracker } from "./upstream/quota-tracker.ts";
import type { UpstreamAnswer, UpstreamClient } from "./upstream/send.ts";

/** A stream's headers wait so long for upstream's own headers, so that an early refusal is a plain HTTP error. */
const HOLD_FOR_HEADERS_MS = 10_000;
/** … and then so long for the first output, so that overload hidden in a 200 can be repeated or told by status. */
const HOLD_FOR_OUTPUT_MS = 3_000;
const HOLD_TICK_MS = 250;
/** A silent stream gets a sign of life at least every second tick: within 15 s. */
const KEEP_ALIVE_TICK_MS = 7_000;
/** Under a limit of so many tokens the tokenizer is loaded at once; under others when it comes into reach: it is large. */
const SOON_REACHED = 256;
/** Answers of one request that are fetched side by side. */
const COPIES_AT_ONCE = 4;

export interface RelayDeps {
  readonly config: ProxyConfig;
  readonly upstream: UpstreamClient;
  readonly quota: QuotaTracker;
  readonly tokens: TokenCounter;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface RelayRequest<Body> {
  readonly dialect: Dialect<Body>;
  readonly body: Body;
  readonly canonical: CanonicalRequest;
  readonly exchange: Exchange;
  /** Sees each finished answer, streamed or whole, before the client has its end. `id` is that of `AnswerContext`. */
  readonly onAnswer?: (answer: CanonicalResponse, id: string) => void;
}

/**
 * The data path: canonical request → upstream → events → the client's own grammar, whole or streamed.
 * @throws ProxyError while there is no answer yet; afterwards a failure ends the stream in the dialect's own way.
 */
export async function relay<Body>(deps: RelayDeps, request: RelayRequest<Body>): Promise<Answer> {
  const copies = request.canonical.copies ?? 1;
  request.exchange.facts.model = request.canonical.body.model;
  request.exchange.facts.stream = request.dialect.isStream(request.body);
  if ((request.canonical.body.max_output_tokens ?? Number.POSITIVE_INFINITY) <= SOON_REACHED) deps.tokens.warm();
  const id = deps.newId();
  const paths = Array.from({ length: copies }, (_, index) => createPath(deps, request, id, index));
  return request.exchange.facts.stream ? streamed(deps, request, paths) : whole(request, paths);
}

/** One upstream answer on its way to the client. */
interface AnswerPath {
  readonly context: AnswerContext;
  /** Sends the request and waits until the answer has begun; repeats while nothing has been shown. */
  open(): Promise<OpenAnswer>;
  cancel(): void;
}

interface OpenAnswer {
  readonly answer: UpstreamAnswer;
  /** Feeds the encoder or collector; resolves when the answer is over, rejects with what broke it. */
  consume(push: (event: UpstreamEvent) => void): Promise<void>;
  pause(): void;
  resume(): void;
}

function createPath<Body>(deps: RelayDeps, request: RelayRequest<Body>, id: string, index: number): AnswerPath {
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
      exchange.facts.upstreamModel = answer.model;
      exchange.facts.upstreamMode = answer.mode;
      const next = readEvents(answer.response, deps.config.idleTimeout * 1000);
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

/** A forced call told, names restored, then local limits; most answers need none and reach the encoder directly. */
function withStages(
  emit: (event: UpstreamEvent) => void,
  call: ForcedCall | undefined,
  names: ReadonlyMap<string, string> | undefined,
  limiter: Limiter | undefined,
): (event: UpstreamEvent) => void {
  const limited = limiter ? (event: UpstreamEvent) => limiter.push(event, emit) : emit;
  const named = names ? (event: UpstreamEvent) => limited(restoreNames(event, names)) : limited;
  return call ? (event) => call.push(event, named) : named;
}

function createLimit(
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
function consumeFlow(
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

function endedEarly(): ProxyError {
  return new ProxyError(
    "upstream_protocol",
    "upstream closed the stream before the answer was complete; send the request again",
  );
}

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
function beginning(flow: EventFlow, signal: CancelSignal): Promise<ProxyError | undefined> {
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
async function mayRepeat(
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

/** Learns what a finished answer tells: usage for log and metrics, quota, the memory between turns. */
function createObserver<Body>(
  deps: RelayDeps,
  request: RelayRequest<Body>,
  answer: UpstreamAnswer,
  context: AnswerContext,
) {
  const { facts } = request.exchange;
  // A whole answer is collected where it is answered.
  const collector = request.onAnswer && facts.stream ? createCollector() : undefined;
  return {
    see(event: UpstreamEvent): void {
      switch (event.type) {
        case "response.output_item.done":
        case "response.created":
          collector?.push(event);
          return;
        case "response.output_item.added":
        case "response.output_text.delta":
          facts.firstOutputAt ??= deps.clock.now();
          return;
        case "codex.rate_limits":
          deps.quota.seeEvent(event.value as unknown as Record<string, unknown>);
          return;
        case "response.completed":
        case "response.incomplete":
        case "response.failed":
        case "error":
          collector?.push(event);
          this.end(event.value);
      }
    },
    end(value: CanonicalEvent): void {
      const failure = failureOfEvent(value);
      if (failure) {
        facts.error = failure;
        deps.metrics.upstreamFailed(failure.kind);
        return;
      }
      if (!("response" in value)) return;
      if (value.response.usage) addUsage(value.response.usage, value.response.local_stop === undefined);
      if (collector) request.onAnswer?.(collector.finish(), context.id);
    },
  };

  function addUsage(usage: ResponsesUsage, fromUpstream: boolean): void {
    const seen = {
      input: usage.input_tokens,
      cached: usage.input_tokens_details?.cached_tokens ?? 0,
      output: usage.output_tokens,
      reasoning: usage.output_tokens_details?.reasoning_tokens ?? 0,
    };
    const before = facts.usage;
    facts.usage = before
      ? {
          input: before.input + seen.input,
          cached: before.cached + seen.cached,
          output: before.output + seen.output,
          reasoning: before.reasoning + seen.reasoning,
        }
      : seen;
    deps.metrics.tokensUsed(answer.model, seen);
    if (fromUpstream) deps.tokens.learn(answer.model, request.canonical.body, usage.input_tokens);
  }
}

/** Collects every copy's answer and gives one JSON body. */
async function whole<Body>(request: RelayRequest<Body>, paths: readonly AnswerPath[]): Promise<Answer> {
  const { dialect, body, exchange } = request;
  let headers: Record<string, string> = {};
  const fetchOne = async (path: AnswerPath): Promise<CanonicalResponse> => {
    const open = await path.open();
    headers = answerHeaders(open.answer);
    const collector = createCollector();
    await open.consume((event) => collector.push(event));
    const collected = collector.finish();
    request.onAnswer?.(collected, path.context.id);
    return collected;
  };
  try {
    const answers = await inParallel(paths, COPIES_AT_ONCE, fetchOne);
    const context = (paths[0] as AnswerPath).context;
    return jsonAnswer(dialect.fromCanonical(answers, body, context), 200, headers);
  } catch (error) {
    for (const path of paths) path.cancel();
    exchange.facts.cancelled = exchange.signal.aborted;
    throw error;
  }
}

/** Answers with an event stream; the response is given out as soon as the first answer has begun or is late. */
async function streamed<Body>(
  deps: RelayDeps,
  request: RelayRequest<Body>,
  paths: readonly AnswerPath[],
): Promise<Answer> {
  const { exchange } = request;
  const openings = paths.map((path) => path.open());
  for (const opening of openings) opening.catch(() => {});
  const first = await firstAnswer(deps, exchange, openings);
  const ended = () => {
    exchange.settle(200);
    deps.metrics.streamClosed();
  };

  const opened: OpenAnswer[] = [];
  const client = createClientStream({
    onCancel() {
      exchange.facts.cancelled = true;
      for (const path of paths) path.cancel();
      ended();
    },
    onPressure(behind) {
      for (const open of opened) {
        if (behind) open.pause();
        else open.resume();
      }
    },
  });
  exchange.holdOpen();
  deps.metrics.streamOpened();
  const encoders = paths.map((path) => request.dialect.createEncoder(request.body, path.context));
  const stopKeepAlive = keepAlive(client, encoders);
  if (!first) client.write(encoders[0]?.keepAlive() ?? "");

  const running = paths.map(async (path, index) => {
    const encoder = encoders[index] as StreamEncoder;
    try {
      const open = await (openings[index] as Promise<OpenAnswer>);
      opened.push(open);
      await open.consume((event) => client.write(encoder.push(event)));
    } catch (cause) {
      const error = toProxyError(cause);
      if (error.kind === "cancelled") return;
      exchange.facts.error = error;
      client.write(encoder.fail(error));
      path.cancel();
    }
  });
  Promise.all(running).then(() => {
    stopKeepAlive();
    client.write(request.dialect.finishCopies?.(encoders, request.body) ?? "");
    client.close();
    if (!exchange.facts.cancelled) ended();
  });
  const headers = { ...STREAM_HEADERS, ...(first ? answerHeaders(first.answer) : {}) };
  return { status: 200, headers, body: client.body };
}

const STREAM_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  // Tells reverse proxies such as nginx not to gather the stream.
  "x-accel-buffering": "no",
};

/**
 * The first copy's answer; undefined when upstream takes so long that the client is told to wait.
 * @throws ProxyError when the answer failed before it began.
 */
function firstAnswer(
  deps: RelayDeps,
  exchange: Exchange,
  openings: readonly Promise<OpenAnswer>[],
): Promise<OpenAnswer | undefined> {
  const isLate = (): boolean => {
    const now = deps.clock.now();
    const headersAt = exchange.facts.upstreamHeadersAt ?? now;
    return now - exchange.startedAt >= HOLD_FOR_HEADERS_MS || now - headersAt >= HOLD_FOR_OUTPUT_MS;
  };
  return new Promise((resolve, reject) => {
    const watch = setInterval(() => {
      if (!isLate()) return;
      clearInterval(watch);
      resolve(undefined);
    }, HOLD_TICK_MS);
    const opening = openings[0] as Promise<OpenAnswer>;
    opening.then(resolve, reject).finally(() => clearInterval(watch));
  });
}

/** Writes a sign of life when a whole tick has passed without a write. */
function keepAlive(client: ClientStream, encoders: readonly StreamEncoder[]): () => void {
  let written = client.written();
  const timer = setInterval(() => {
    if (client.written() === written) client.write(encoders[0]?.keepAlive() ?? "");
    written = client.written();
  }, KEEP_ALIVE_TICK_MS);
  return () => clearInterval(timer);
}

/** Upstream's headers that clients may see, and what the request lost on its way. */
function answerHeaders(answer: UpstreamAnswer): Record<string, string> {
  if (answer.dropped.length === 0) return answer.headers;
  return { ...answer.headers, "x-codex-proxy-dropped": answer.dropped.map((field) => field.name).join(",") };
}

async function inParallel<T, R>(items: readonly T[], limit: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
