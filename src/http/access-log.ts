import type { Exchange } from "../exchange.ts";
import type { Log } from "../observability/log.ts";
import type { Metrics } from "../observability/metrics.ts";

/** Events that the original logs under `codex_api_proxy.latency`, by route. */
const LATENCY_EVENTS: Readonly<Record<string, string>> = {
  "/v1/chat/completions": "chat_completion_latency",
  "/v1/messages": "anthropic_message_latency",
};

/** Logs and counts a finished request: one access line, and the latency line that the original wrote for its routes. */
export function recordExchange(exchange: Exchange, status: number, now: number, log: Log, metrics: Metrics): void {
  const { facts } = exchange;
  const totalMs = now - exchange.startedAt;
  const firstByteMs = facts.firstOutputAt === undefined ? undefined : facts.firstOutputAt - exchange.startedAt;
  const ok = status < 400 && facts.error === undefined;
  metrics.requestFinished({
    route: exchange.route,
    status,
    ok: ok || facts.cancelled === true,
    totalMs,
    ...(facts.client === undefined ? {} : { client: facts.client }),
    ...(facts.upstreamModel === undefined ? {} : { model: facts.upstreamModel }),
    ...(firstByteMs === undefined ? {} : { firstByteMs }),
  });
  log.write("access", ok ? "info" : "warning", "request", {
    request_id: exchange.requestId,
    method: exchange.method,
    route: exchange.route,
    status,
    model: facts.model,
    upstream_model: facts.upstreamModel,
    stream: facts.stream,
    first_byte_ms: firstByteMs,
    total_ms: totalMs,
    tokens_in: facts.usage?.input,
    tokens_cached: facts.usage?.cached,
    tokens_out: facts.usage?.output,
    client: facts.client,
    cancelled: facts.cancelled === true,
    ...(facts.error ? { error: facts.error.kind, message: facts.error.message } : {}),
  });
  const event = LATENCY_EVENTS[exchange.route];
  if (event === undefined || exchange.method !== "POST") return;
  const common = {
    request_id: exchange.requestId,
    status: ok ? "ok" : "error",
    stream: facts.stream ?? false,
    model: facts.model,
    upstream_mode: facts.upstreamMode,
  };
  if (event === "chat_completion_latency") {
    if (facts.upstreamHeadersAt !== undefined) {
      log.write("latency", "info", "chat_completion_upstream_headers", {
        ...common,
        total_ms: facts.upstreamHeadersAt - exchange.startedAt,
      });
    }
    if (firstByteMs !== undefined && facts.stream) {
      log.write("latency", "info", "chat_completion_first_content_sse", { ...common, total_ms: firstByteMs });
    }
  }
  log.write("latency", "info", event, { ...common, total_ms: totalMs });
}
