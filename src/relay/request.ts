import type { CanonicalRequest } from "../canonical/request.ts";
import type { CanonicalResponse } from "../canonical/response.ts";
import type { ProxyConfig } from "../config/config.ts";
import type { Dialect } from "../dialects/dialect.ts";
import type { Exchange, WorkObserver } from "../exchange.ts";
import type { Log } from "../observability/log.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { Clock } from "../platform.ts";
import type { TokenCounter } from "../tokens/counter.ts";
import type { QuotaTracker } from "../upstream/quota-tracker.ts";
import type { UpstreamClient } from "../upstream/send.ts";

/** What answering needs from the server. */
export interface RelayDeps {
  readonly config: ProxyConfig;
  readonly upstream: UpstreamClient;
  readonly quota: QuotaTracker;
  readonly tokens: TokenCounter;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly work: WorkObserver | undefined;
}

/** One client request, translated. */
export interface RelayRequest<Body> {
  readonly dialect: Dialect<Body>;
  readonly body: Body;
  readonly canonical: CanonicalRequest;
  readonly exchange: Exchange;
  /** Sees each finished answer, streamed or whole, before the client has its end. `id` is that of `AnswerContext`. */
  readonly onAnswer?: (answer: CanonicalResponse, id: string) => void;
}
