import type { Credentials } from "./credentials/credentials.ts";
import type { HeaderReader } from "./dialects/dialect.ts";
import type { ProxyError } from "./errors.ts";
import type { CancelSignal, UpstreamResponse } from "./platform.ts";

/** Token counts of one answer, for the log and the metrics. */
export interface TokenFacts {
  input: number;
  cached: number;
  output: number;
  reasoning: number;
}

/** What is learnt about one request on its way; read when it is logged. */
export interface ExchangeFacts {
  /** As the client named it. */
  model?: string;
  upstreamModel?: string;
  upstreamMode?: "chatgpt" | "api_key";
  stream?: boolean;
  /** Epoch ms. */
  upstreamHeadersAt?: number;
  firstOutputAt?: number;
  usage?: TokenFacts;
  error?: ProxyError;
  cancelled?: boolean;
  /** Label of the client key that was presented. */
  client?: string;
}

/** Hears of the server's work as it goes on, on the hot path. */
export interface WorkObserver {
  /** A request begins or ends, or a stream is written to. */
  active(): void;
  /** Upstream's answer has gone on for megabytes, again, most of them garbage by now. */
  long(): void;
  /** A request is over. */
  ended(exchange: Exchange): void;
}

/** One client request: its identity, the signal that the client left, and the facts gathered on the way. */
export interface Exchange {
  readonly requestId: string;
  /** Route pattern, e.g. `/v1/messages`. */
  readonly route: string;
  readonly method: string;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly header: HeaderReader;
  readonly signal: CancelSignal;
  readonly facts: ExchangeFacts;
  /** The login as its route found it. */
  credentials: Credentials | undefined;
  /** Upstream's answer, once its headers are there. */
  upstream: UpstreamResponse | undefined;
  /** Takes over the end of the request from the HTTP layer, for an answer that outlives its handler. */
  holdOpen(): void;
  /** Ends the request for the log and the metrics; the first call counts. */
  settle(status: number): void;
}
