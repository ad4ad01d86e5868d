import { describe, expect, it } from "vitest";
import { createMetricsRegistry } from "../../../src/observability/metrics-registry.ts";

function used() {
  let now = 1_000_000;
  const metrics = createMetricsRegistry(() => now);
  now += 2500;
  metrics.requestFinished({
    route: "/v1/messages",
    status: 200,
    ok: true,
    totalMs: 1200,
    firstByteMs: 80,
    client: "a",
  });
  metrics.requestFinished({ route: "/v1/messages", status: 429, ok: false, totalMs: 3 });
  metrics.requestFinished({ route: 'odd"\n', status: 200, ok: false, totalMs: 700_000 });
  metrics.tokenRefreshed(true);
  metrics.tokenRefreshed(false);
  metrics.modelsCache(true);
  metrics.modelsCache(false);
  metrics.streamOpened();
  metrics.upstreamRetried("401");
  metrics.upstreamFailed("overloaded");
  metrics.tokensUsed("m", { input: 10, cached: 4, output: 3, reasoning: 1 });
  metrics.tokensUsed("m", { input: 10, cached: 4, output: 3, reasoning: 1 });
  metrics.quotaSeen({
    planType: "plus",
    primary: { usedPercent: 42, windowMinutes: 300, resetsAt: 1_800_000_000 },
    secondary: undefined,
    credits: undefined,
    limitReached: false,
    seenAt: now,
  });
  return metrics;
}

describe("metrics as JSON", () => {
  it("begin with the documented keys in their order", () => {
    const json = used().toJson();
    expect(Object.keys(json).slice(0, 8)).toEqual([
      "requests_total",
      "requests_ok",
      "requests_error",
      "errors_by_status",
      "token_refresh_total",
      "models_cache_hits",
      "models_cache_misses",
      "uptime_seconds",
    ]);
    expect(json).toMatchObject({
      requests_total: 3,
      requests_ok: 1,
      requests_error: 2,
      errors_by_status: { "429": 1, "200": 1 },
      token_refresh_total: 1,
      models_cache_hits: 1,
      models_cache_misses: 1,
      uptime_seconds: 2.5,
      open_streams: 1,
      tokens: { m: { input: 20, cached: 8, output: 6, reasoning: 2 } },
    });
  });
});

describe("metrics for Prometheus", () => {
  it("are valid text with HELP and TYPE before each family", async () => {
    const lines = (await used().toPrometheus()).split("\n");
    expect(lines.pop()).toBe("");
    const types = new Map<string, string>();
    for (const line of lines) {
      const type = /^# TYPE (\w+) (\w+)$/.exec(line);
      if (type) types.set(type[1] as string, type[2] as string);
      else if (!line.startsWith("# HELP ")) {
        const sample = /^(\w+)(?:\{(?:\w+="(?:[^"\\\n]|\\.)*",?)+\})? (\S+)$/.exec(line);
        expect(sample, line).not.toBeNull();
        expect(Number.isFinite(Number(sample?.[2])), line).toBe(true);
        const family = (sample?.[1] ?? "").replace(/_(bucket|sum|count)$/, "");
        expect(types.has(family) || types.has(sample?.[1] ?? ""), line).toBe(true);
      }
    }
    expect(types.get("codex_api_proxy_requests_total")).toBe("counter");
    expect(types.get("codex_api_proxy_uptime_seconds")).toBe("gauge");
    expect(types.get("codex_api_proxy_request_duration_seconds")).toBe("histogram");
  });

  it("have the original's names, and the new ones", async () => {
    const text = await used().toPrometheus();
    for (const line of [
      "codex_api_proxy_requests_total 3",
      "codex_api_proxy_requests_ok_total 1",
      "codex_api_proxy_requests_error_total 2",
      'codex_api_proxy_errors_by_status_total{status="429"} 1',
      "codex_api_proxy_models_cache_hits_total 1",
      "codex_api_proxy_models_cache_misses_total 1",
      "codex_api_proxy_uptime_seconds 2.5",
      'codex_api_proxy_tokens_total{model="m",kind="cached"} 8',
      'codex_api_proxy_quota_used_percent{window="primary"} 42',
      'codex_api_proxy_time_to_first_byte_seconds_bucket{route="/v1/messages",le="0.1"} 1',
      'codex_api_proxy_request_duration_seconds_bucket{route="/v1/messages",le="+Inf"} 2',
      'codex_api_proxy_request_duration_seconds_count{route="/v1/messages"} 2',
    ]) {
      expect(text).toContain(`\n${line}\n`);
    }
  });
});

it("bounds labels that clients choose", () => {
  const metrics = createMetricsRegistry(() => 0);
  for (let at = 0; at < 1000; at++) metrics.tokensUsed(`m${at}`, { input: 1, cached: 0, output: 0, reasoning: 0 });
  const { tokens } = metrics.toJson() as { tokens: Record<string, { input: number }> };
  expect(Object.keys(tokens)).toHaveLength(201);
  expect(tokens.other?.input).toBe(800);
});
