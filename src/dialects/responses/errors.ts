import type { ErrorKind, ProxyError } from "../../errors.ts";
import { isObject, type JsonObject } from "../../json.ts";

/** OpenAI's `error.type` and, where it has one, `error.code`, by kind. */
const TERMS: Record<ErrorKind, { type: string; code: string | null }> = {
  invalid_request: { type: "invalid_request_error", code: null },
  unauthorized: { type: "invalid_request_error", code: "invalid_api_key" },
  forbidden: { type: "permission_error", code: null },
  not_found: { type: "invalid_request_error", code: null },
  method_not_allowed: { type: "invalid_request_error", code: "method_not_supported" },
  too_large: { type: "invalid_request_error", code: "request_too_large" },
  unsupported: { type: "invalid_request_error", code: "unsupported" },
  model_not_found: { type: "invalid_request_error", code: "model_not_found" },
  context_overflow: { type: "invalid_request_error", code: "context_length_exceeded" },
  content_policy: { type: "invalid_request_error", code: "invalid_prompt" },
  credentials: { type: "server_error", code: "credentials_unavailable" },
  login_expired: { type: "authentication_error", code: "login_expired" },
  usage_limit: { type: "usage_limit_reached", code: "usage_limit_reached" },
  rate_limit: { type: "rate_limit_error", code: "rate_limit_exceeded" },
  quota: { type: "insufficient_quota", code: "insufficient_quota" },
  overloaded: { type: "server_error", code: "server_is_overloaded" },
  upstream_status: { type: "server_error", code: "server_error" },
  upstream_unreachable: { type: "server_error", code: "server_error" },
  upstream_timeout: { type: "server_error", code: "server_error" },
  upstream_protocol: { type: "server_error", code: "server_error" },
  cancelled: { type: "server_error", code: "cancelled" },
  internal: { type: "server_error", code: "server_error" },
};

/** Upstream types that Codex clients act on; they are kept as they are, with the fields that belong to them. */
const CODEX_TYPES = new Set(["usage_limit_reached", "usage_not_included"]);
const CODEX_FIELDS = ["plan_type", "resets_at", "resets_in_seconds", "eligible_promo"];

/** The error object inside OpenAI's envelope, also used in `error` events. */
export function toErrorObject(error: ProxyError): {
  message: string;
  type: string;
  param: string | null;
  code: string | null;
} {
  const terms = TERMS[error.kind];
  const upstream = isObject(error.details.upstream) ? error.details.upstream : {};
  const kept = typeof upstream.type === "string" && CODEX_TYPES.has(upstream.type);
  const basic = {
    message: error.message,
    type: kept ? (upstream.type as string) : terms.type,
    param: error.param ?? null,
    code: error.code ?? terms.code,
  };
  return error.kind === "usage_limit" || kept ? { ...basic, ...limitFacts(error, upstream) } : basic;
}

/** `{"error": {message, type, param, code}}`, as https://platform.openai.com/docs/guides/error-codes has it. */
export function toErrorBody(error: ProxyError): object {
  return { error: toErrorObject(error) };
}

export function toErrorStatus(error: ProxyError): number {
  return error.status;
}

function limitFacts(error: ProxyError, upstream: JsonObject): JsonObject {
  const facts: JsonObject = {};
  if (error.resetsAt !== undefined) facts.resets_at = error.resetsAt;
  if (error.retryAfter !== undefined) facts.resets_in_seconds = error.retryAfter;
  for (const name of CODEX_FIELDS) if (upstream[name] !== undefined) facts[name] = upstream[name];
  return facts;
}
