import { type ErrorKind, ProxyError, type ProxyErrorOptions } from "../errors.ts";
import type { CanonicalEvent, UpstreamErrorObject } from "./event.ts";

/** Upstream's error codes and types that say who has to act; anything else is `upstream_status`. */
const KINDS: Readonly<Record<string, ErrorKind>> = {
  context_length_exceeded: "context_overflow",
  insufficient_quota: "quota",
  usage_not_included: "quota",
  usage_limit_reached: "usage_limit",
  invalid_prompt: "content_policy",
  cyber_policy: "content_policy",
  bio_policy: "content_policy",
  misalignment_policy_violation: "content_policy",
  content_policy_violation: "content_policy",
  server_is_overloaded: "overloaded",
  overloaded_error: "overloaded",
  slow_down: "overloaded",
  rate_limit_exceeded: "rate_limit",
  rate_limit_error: "rate_limit",
  tokens: "rate_limit",
  requests: "rate_limit",
  model_not_found: "model_not_found",
  invalid_encrypted_content: "invalid_request",
  invalid_request_error: "invalid_request",
};

const FAILED = new Set<string | undefined>(["failed", "cancelled"]);

/**
 * The error object of an `error` event, of `response.failed` or of an HTTP error body as a ProxyError.
 * Upstream's own object is kept in `details.upstream`.
 */
export function failureOf(error: UpstreamErrorObject | null | undefined): ProxyError {
  const code = error?.code ?? undefined;
  const type = error?.type ?? undefined;
  const message = error?.message || "upstream failed without saying why";
  const kind = kindOf(code) ?? kindOf(type) ?? "upstream_status";
  const options: ProxyErrorOptions = { details: { ...tokensIn(kind, message), ...(error ? { upstream: error } : {}) } };
  const named = code ?? (type === "usage_limit_reached" ? type : undefined);
  if (named !== undefined) options.code = named;
  if (error?.param) options.param = error.param;
  const resetsAt = numberOf(error?.resets_at);
  if (resetsAt !== undefined) options.resetsAt = resetsAt;
  const wait = numberOf(error?.resets_in_seconds) ?? waitIn(message);
  if (wait !== undefined) options.retryAfter = Math.max(1, Math.ceil(wait));
  return new ProxyError(kind, message, options);
}

/** The failure that a terminal event states, by its type or by its answer's status; undefined for any other event. */
export function failureOfEvent(event: CanonicalEvent): ProxyError | undefined {
  if (event.type === "response.failed") return failureOf(event.response?.error);
  if (event.type === "response.completed" && FAILED.has(event.response.status)) return failureOf(event.response.error);
  if (event.type !== "error") return undefined;
  return failureOf(
    event.error ?? { code: event.code ?? null, message: event.message ?? null, param: event.param ?? null },
  );
}

function kindOf(name: string | undefined): ErrorKind | undefined {
  return name !== undefined && Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** "Please try again in 11.054s" / "in 250ms", in seconds. */
function waitIn(message: string): number | undefined {
  const match = /try again in (\d+(?:\.\d+)?)\s*(ms|s|m)\b/i.exec(message);
  if (!match) return undefined;
  const scale = { ms: 0.001, s: 1, m: 60 }[(match[2] ?? "s").toLowerCase()] ?? 1;
  return Number(match[1]) * scale;
}

/** "maximum context length is 272000 tokens … resulted in 300123 tokens": the two numbers, where the text has them. */
function tokensIn(kind: ErrorKind, message: string): { tokens?: number; limit?: number } {
  if (kind !== "context_overflow") return {};
  const limit = /(?:maximum|limit|window)\D{0,40}?(\d[\d,]{3,})/i.exec(message)?.[1];
  const tokens = /(?:resulted in|requested|has|used|contains|of)\D{0,20}?(\d[\d,]{3,})\s*(?:input )?tokens/i.exec(
    message,
  )?.[1];
  const found: { tokens?: number; limit?: number } = {};
  if (limit) found.limit = Number(limit.replaceAll(",", ""));
  if (tokens && tokens !== limit) found.tokens = Number(tokens.replaceAll(",", ""));
  return found;
}
