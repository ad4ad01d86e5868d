import type { StreamEncoder } from "../dialects/dialect.ts";
import { toProxyError } from "../errors.ts";
import type { Exchange } from "../exchange.ts";
import type { Answer } from "../platform.ts";
import { type ClientStream, createClientStream } from "../stream/client-stream.ts";
import { answerHeaders } from "./answer-headers.ts";
import type { AnswerPath, OpenAnswer } from "./answer-path.ts";
import type { RelayDeps, RelayRequest } from "./request.ts";

/** A stream's headers wait so long for upstream's own headers, so that an early refusal is a plain HTTP error. */
const HOLD_FOR_HEADERS_MS = 10_000;
/** … and then so long for the first output, so that overload hidden in a 200 can be repeated or told by status. */
const HOLD_FOR_OUTPUT_MS = 3_000;
const HOLD_TICK_MS = 250;
/** A silent stream gets a sign of life at least every second tick: within 15 s. */
const KEEP_ALIVE_TICK_MS = 7_000;

/** Answers with an event stream; the response is given out as soon as the first answer has begun or is late. */
export async function streamed<Body>(
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
    onWrite: deps.work?.active,
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
