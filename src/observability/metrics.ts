import type { QuotaSnapshot } from "../upstream/quota.ts";

export interface FinishedRequest {
  route: string;
  /** HTTP status sent; a stream that failed after its 200 counts by `ok`. */
  status: number;
  ok: boolean;
  /** Label of the client key, when keys are set. */
  client?: string;
  model?: string;
  firstByteMs?: number;
  totalMs: number;
}

/** Counters and histograms of a running server. Every call costs nanoseconds and never throws. */
export interface Metrics {
  requestFinished(request: FinishedRequest): void;
  streamOpened(): void;
  streamClosed(): void;
  tokenRefreshed(ok: boolean): void;
  modelsCache(hit: boolean): void;
  upstreamRetried(reason: string): void;
  upstreamFailed(kind: string): void;
  tokensUsed(model: string, usage: { input: number; cached: number; output: number; reasoning: number }): void;
  quotaSeen(quota: QuotaSnapshot): void;
  /** `/metrics`: keys in the documented order. */
  toJson(): Record<string, unknown>;
  /** `/metrics/prometheus`: text format 0.0.4. */
  toPrometheus(): Promise<string>;
}
