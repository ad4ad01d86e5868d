import type { Dispatcher } from "undici";
import type { ByteFlow, ByteSink, UpstreamRequest, UpstreamResponse } from "../../../src/platform.ts";
import { fromPush } from "../../../src/stream/byte-source.ts";
import { ParsedHeaders } from "../headers.ts";

/**
 * One exchange on a dispatcher. Its handler feeds the sink straight from the HTTP parser: `undici.request` would put a
 * Readable in between, `undici.fetch` a web stream as well.
 */
export function exchange(dispatcher: Dispatcher, url: URL, request: UpstreamRequest): Promise<UpstreamResponse> {
  const { signal } = request;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    let controller: Dispatcher.DispatchController | undefined;
    let body: PushedBody | undefined;
    const abort = (): void => {
      const reason = toError(signal?.reason);
      // Without a controller the connection is still being made; onRequestStart ends the request then.
      controller?.abort(reason);
      reject(signal?.reason);
    };
    const release = (): void => signal?.removeEventListener("abort", abort);
    signal?.addEventListener("abort", abort, { once: true });
    dispatcher.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method as Dispatcher.HttpMethod,
        headers: request.headers,
        body: toBody(request.body) as Exclude<Dispatcher.DispatchOptions["body"], undefined>,
      },
      {
        onRequestStart(started) {
          controller = started;
          if (signal?.aborted) started.abort(toError(signal.reason));
        },
        onResponseStart(started, status, headers) {
          if (status < 200) return;
          body = new PushedBody(started);
          const { open, discard } = body;
          resolve(fromPush({ status, headers: new ParsedHeaders(headers), open, discard }));
        },
        onResponseData(_, bytes) {
          // A Buffer of its own, never of shared memory.
          body?.chunk(bytes as Buffer<ArrayBuffer>);
        },
        onResponseEnd() {
          release();
          body?.end();
        },
        onResponseError(_, error) {
          release();
          body?.error(signal?.aborted ? signal.reason : error);
          reject(error);
        },
      },
    );
  });
}

/** A longer text costs undici, which makes a Buffer of it, twice as much as the encoder; UTF-16 units. */
const LARGE = 64 * 1024;
const UTF8 = new TextEncoder();

/** Any async iterable of bytes will do for undici, which a web stream is. */
function toBody(body: UpstreamRequest["body"]): UpstreamRequest["body"] | null {
  return typeof body === "string" && body.length >= LARGE ? UTF8.encode(body) : (body ?? null);
}

/** Holds what arrives until somebody reads: bytes may follow the headers in the same turn. */
class PushedBody {
  readonly #controller: Dispatcher.DispatchController;
  #sink: ByteSink | undefined;
  /** One chunk at most: the connection pauses on it. */
  #waiting: Uint8Array<ArrayBuffer> | undefined;
  #outcome: { cause?: unknown } | undefined;
  #paused = false;
  #cancelled = false;

  constructor(controller: Dispatcher.DispatchController) {
    this.#controller = controller;
  }

  readonly open = (sink: ByteSink): ByteFlow => {
    queueMicrotask(() => this.#start(sink));
    return {
      pause: () => {
        this.#paused = true;
        this.#controller.pause();
      },
      resume: () => {
        this.#paused = false;
        this.#controller.resume();
      },
      cancel: this.discard,
    };
  };

  readonly discard = (): void => {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#waiting = undefined;
    if (this.#outcome === undefined) this.#controller.abort(new Error("the response is no longer wanted"));
  };

  chunk(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#cancelled) return;
    if (this.#sink !== undefined) {
      this.#sink.chunk(bytes);
      return;
    }
    this.#waiting = bytes;
    this.#controller.pause();
  }

  end(): void {
    this.#outcome = {};
    if (!this.#cancelled) this.#sink?.end();
  }

  error(cause: unknown): void {
    this.#outcome = { cause };
    if (!this.#cancelled) this.#sink?.error(cause);
  }

  #start(sink: ByteSink): void {
    if (this.#cancelled) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#sink = sink;
    if (waiting !== undefined) sink.chunk(waiting);
    if (this.#cancelled) return;
    if (this.#outcome === undefined) {
      if (!this.#paused) this.#controller.resume();
    } else if ("cause" in this.#outcome) sink.error(this.#outcome.cause);
    else sink.end();
  }
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("the request was cancelled", { cause: reason });
}
