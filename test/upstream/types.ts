import type { IncomingHttpHeaders } from "node:http";
import type { Tokens } from "./tokens.ts";

/** One request as the double received it. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Record<string, string>;
  readonly headers: IncomingHttpHeaders;
  /** Name, value, name, value, ... in wire order and case. */
  readonly rawHeaders: readonly string[];
  /** Bytes of the body as sent. */
  readonly raw: Buffer;
  /** The body after Content-Encoding, and parsed when it is JSON. */
  readonly text: string;
  readonly json: unknown;
  /** Headers that belong to the proxy's own client, or to one hop only, and must never arrive. */
  readonly leaks: readonly string[];
  /** One number a TCP connection: equal numbers mean that it was reused. */
  readonly connection: number;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  /** Status answered; undefined until then. */
  status: number | undefined;
  /** Why the double refused, in upstream's words. */
  refusal: string | undefined;
  /** The client hung up before the answer was complete. */
  closedByClient: boolean;
  /** Epoch milliseconds of the end of the exchange, either way. */
  closedAt: number | undefined;
}

/** Which requests are meant: the start or the end of a path, a pattern on it, or any test of the request. */
export type Matcher = string | RegExp | ((request: RecordedRequest) => boolean);

/**
 * What a scripted answer does instead of, or on top of, the usual one; fields combine. `status`, `body` and a `.json`
 * fixture replace the whole answer before any check; everything else is judged by the rules first.
 */
export interface Behaviour {
  /** How many matching requests it serves. Default 1. */
  readonly times?: number;
  /** A whole HTTP answer. An object body is sent as JSON. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | object | Uint8Array;
  /** A file of test/fixtures/upstream/responses: `http-*.json` is a whole answer, `*.sse` a stream. */
  readonly fixture?: string;
  /** Raw SSE text sent as the stream. */
  readonly sse?: string;
  /** Assistant text to answer with; `output` gives whole output items instead. */
  readonly text?: string;
  readonly output?: readonly object[];
  /** How the stream ends. Default: response.completed. `none` ends it cleanly without a terminal event. */
  readonly terminal?:
    | { readonly failed: string; readonly message?: string }
    | { readonly incomplete: string }
    | { readonly error: object }
    | "none";
  /** Events of the usual answer sent before the terminal event or the cut. Default: all. */
  readonly afterEvents?: number;
  /** Break the connection after `afterEvents`: between events, inside one, or before the headers. */
  readonly cut?: "between-events" | "mid-event" | "before-headers";
  /** Pause for `stallMs` before anything is done, on any path, or after `stallAfterEvents` events of a stream. */
  readonly stallMs?: number;
  readonly stallAfterEvents?: number;
  /** Pause between any two events, in milliseconds. */
  readonly paceMs?: number;
  /** Line end of the stream. Default "\n". */
  readonly lineEnd?: "\n" | "\r\n" | "\r";
  /** Send the stream in writes of this many bytes, each in a turn of its own. */
  readonly splitBytes?: number;
  /** Content-Encoding: gzip. */
  readonly gzip?: boolean;
  /** Add an event whose line has this many bytes. */
  readonly bigEventBytes?: number;
  /** Sprinkle events, fields and comments that no document knows. */
  readonly unknownEvents?: boolean;
  /** Put an event with broken JSON in the middle. */
  readonly malformedEvents?: boolean;
  /** Leave out the `event:` lines, and end with `data: [DONE]`. */
  readonly dataOnly?: boolean;
  /** Leave out every delta: content arrives in output_item.done only. */
  readonly doneItemsOnly?: boolean;
  /** Fill `response.completed.response.output`, which the seat leaves empty. */
  readonly fillOutput?: boolean;
}

export interface UpstreamOptions {
  /** Serve https with this certificate; the URLs are then those of the real hosts, for use behind {@link startConnectProxy}. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Epoch milliseconds. Default Date.now. */
  readonly now?: () => number;
  /** Models that exist on the lite lane only. Default: the Luna models and gpt-6.1-sol. */
  readonly liteOnlyModels?: readonly string[];
  /** Which models need a Codex originator and User-Agent. Default "luna". */
  readonly identityGate?: "luna" | "all" | "off";
  /** `response.completed.response.output` is filled on the seat too. Default false. */
  readonly fillOutput?: boolean;
  /** No checks, every answer one text of `deltas` deltas with `paceMs` between them: for benchmarks. */
  readonly fast?: { readonly deltas: number; readonly paceMs: number };
  /** Polls of the device login that answer "pending" first. Default 1. */
  readonly devicePendingPolls?: number;
  /** Seconds between polls that the device login asks for. Default 1. */
  readonly deviceIntervalSeconds?: number;
  /** Port to listen on at 127.0.0.1. Default 0: a free one. */
  readonly port?: number;
}

/** A running double. */
export interface Upstream {
  /** Where it listens, e.g. `http://127.0.0.1:41234`. */
  readonly origin: string;
  readonly port: number;
  readonly chatgptBaseUrl: string;
  readonly openaiBaseUrl: string;
  readonly authIssuer: string;
  readonly refreshTokenUrl: string;
  readonly revokeTokenUrl: string;
  /** All requests since start or {@link reset}, oldest first. */
  readonly requests: RecordedRequest[];
  readonly tokens: Tokens;
  /** The requests that match, oldest first. */
  requestsTo(matcher: Matcher): RecordedRequest[];
  /** Queues a behaviour for the next request that matches. The oldest matching one is taken first. */
  script(matcher: Matcher, behaviour: Behaviour): void;
  /** Resolves with the first request, past or to come, that satisfies the test. Rejects after `timeoutMs`. */
  waitFor(test: (request: RecordedRequest) => boolean, timeoutMs?: number): Promise<RecordedRequest>;
  /** Forgets requests, scripts, credentials, caches and stored responses. */
  reset(): void;
  close(): Promise<void>;
}
