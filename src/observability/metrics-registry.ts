import type { QuotaSnapshot, QuotaWindow } from "../upstream/quota.ts";
import { createHistogram } from "./histogram.ts";
import type { Metrics } from "./metrics.ts";
import { escapeLabel, type Family, family, labelled, renderFamilies, single } from "./prometheus.ts";

/** Seconds. Reasoning models take minutes. */
const FIRST_BYTE_BOUNDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
const TOTAL_BOUNDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
/** Labels come from clients: past this many values of one, the rest are counted together. */
const MAX_LABELS = 200;
const KINDS = ["input", "cached", "output", "reasoning"] as const;

type Tokens = Record<(typeof KINDS)[number], number>;

/** Counters and histograms in plain maps: what a request costs here is some nanoseconds. */
export function createMetricsRegistry(now: () => number): Metrics {
  const startedAt = now();
  const total = { requests: 0, ok: 0, error: 0, refreshes: 0, refreshesFailed: 0, hits: 0, misses: 0, openStreams: 0 };
  const errorsByStatus = new Map<string, number>();
  const byClient = new Map<string, number>();
  const byRoute = new Map<string, number>();
  const retries = new Map<string, number>();
  const failures = new Map<string, number>();
  const tokens = new Map<string, Tokens>();
  const firstByte = createHistogram(FIRST_BYTE_BOUNDS);
  const duration = createHistogram(TOTAL_BOUNDS);
  let quota: QuotaSnapshot | undefined;
  const uptime = (): number => (now() - startedAt) / 1000;

  return {
    requestFinished({ route, status, ok, client, firstByteMs, totalMs }) {
      total.requests++;
      if (ok) total.ok++;
      else {
        total.error++;
        count(errorsByStatus, String(status));
      }
      if (client !== undefined) count(byClient, client);
      count(byRoute, route);
      duration.observe(route, totalMs / 1000);
      if (firstByteMs !== undefined) firstByte.observe(route, firstByteMs / 1000);
    },
    streamOpened() {
      total.openStreams++;
    },
    streamClosed() {
      total.openStreams--;
    },
    tokenRefreshed(ok) {
      if (ok) total.refreshes++;
      else total.refreshesFailed++;
    },
    modelsCache(hit) {
      if (hit) total.hits++;
      else total.misses++;
    },
    upstreamRetried: (reason) => count(retries, reason),
    upstreamFailed: (kind) => count(failures, kind),
    tokensUsed(model, usage) {
      const key = tokens.has(model) || tokens.size < MAX_LABELS ? model : "other";
      const sum = tokens.get(key) ?? { input: 0, cached: 0, output: 0, reasoning: 0 };
      for (const kind of KINDS) sum[kind] += usage[kind];
      tokens.set(key, sum);
    },
    quotaSeen(seen) {
      quota = seen;
    },
    toJson: () => ({
      requests_total: total.requests,
      requests_ok: total.ok,
      requests_error: total.error,
      errors_by_status: Object.fromEntries(errorsByStatus),
      token_refresh_total: total.refreshes,
      models_cache_hits: total.hits,
      models_cache_misses: total.misses,
      uptime_seconds: uptime(),
      token_refresh_failed_total: total.refreshesFailed,
      open_streams: total.openStreams,
      requests_by_route: Object.fromEntries(byRoute),
      requests_by_client: Object.fromEntries(byClient),
      upstream_retries: Object.fromEntries(retries),
      upstream_errors: Object.fromEntries(failures),
      tokens: Object.fromEntries(tokens),
      quota: quota ? { primary: windowJson(quota.primary), secondary: windowJson(quota.secondary) } : null,
    }),
    async toPrometheus() {
      return renderFamilies([
        single("requests_total", "counter", "Requests finished.", total.requests),
        single("requests_ok_total", "counter", "Requests that succeeded.", total.ok),
        single("requests_error_total", "counter", "Requests that failed, streams that broke included.", total.error),
        labelled("errors_by_status_total", "counter", "Failed requests by HTTP status.", "status", errorsByStatus),
        single("models_cache_hits_total", "counter", "Model lists answered from the cache.", total.hits),
        single("models_cache_misses_total", "counter", "Model lists asked upstream.", total.misses),
        single("uptime_seconds", "gauge", "Seconds since the server started.", uptime()),
        single("token_refresh_total", "counter", "Access tokens refreshed.", total.refreshes),
        single("token_refresh_failed_total", "counter", "Refreshes that failed.", total.refreshesFailed),
        single("open_streams", "gauge", "Streams open now.", total.openStreams),
        labelled("requests_by_route_total", "counter", "Requests by endpoint.", "route", byRoute),
        labelled("requests_by_client_total", "counter", "Requests by client key.", "client", byClient),
        labelled("upstream_retries_total", "counter", "Upstream requests repeated.", "reason", retries),
        labelled("upstream_errors_total", "counter", "Upstream failures by kind.", "kind", failures),
        family("tokens_total", "counter", "Tokens by model and kind; cached is part of input.", (name) =>
          [...tokens].flatMap(([model, used]) =>
            KINDS.map((kind) => `${name}{model="${escapeLabel(model)}",kind="${kind}"} ${used[kind]}`),
          ),
        ),
        family("time_to_first_byte_seconds", "histogram", "Time to the first output.", (name) =>
          firstByte.render(name, "route"),
        ),
        family("request_duration_seconds", "histogram", "Time to the end of the answer.", (name) =>
          duration.render(name, "route"),
        ),
        ...quotaFamilies(quota),
      ]);
    },
  };
}

function count(counts: Map<string, number>, label: string): void {
  const key = counts.has(label) || counts.size < MAX_LABELS ? label : "other";
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function windowJson(window: QuotaWindow | undefined): object | null {
  if (!window) return null;
  return {
    used_percent: window.usedPercent,
    window_minutes: window.windowMinutes ?? null,
    resets_at: window.resetsAt ?? null,
  };
}

/** The plan's windows as gauges; none before upstream has told them. */
function quotaFamilies(quota: QuotaSnapshot | undefined): Family[] {
  if (!quota) return [];
  const windows = Object.entries({ primary: quota.primary, secondary: quota.secondary });
  const values = (pick: (window: QuotaWindow) => number | undefined): [string, number][] =>
    windows.flatMap(([name, window]) => {
      const value = window && pick(window);
      return value === undefined ? [] : [[name, value] as [string, number]];
    });
  return [
    labelled(
      "quota_used_percent",
      "gauge",
      "Use of the plan's window.",
      "window",
      values((w) => w.usedPercent),
    ),
    labelled(
      "quota_window_minutes",
      "gauge",
      "Length of the plan's window.",
      "window",
      values((w) => w.windowMinutes),
    ),
    labelled(
      "quota_resets_at_seconds",
      "gauge",
      "Epoch second at which the window opens anew.",
      "window",
      values((w) => w.resetsAt),
    ),
  ];
}
