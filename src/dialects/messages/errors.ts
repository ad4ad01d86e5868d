import type { ErrorKind, ProxyError } from "../../errors.ts";

/** https://platform.claude.com/docs/en/api/errors */
type AnthropicErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "billing_error"
  | "permission_error"
  | "not_found_error"
  | "request_too_large"
  | "conflict_error"
  | "rate_limit_error"
  | "timeout_error"
  | "api_error"
  | "overloaded_error";

const TYPES: Readonly<Record<ErrorKind, AnthropicErrorType>> = {
  invalid_request: "invalid_request_error",
  unauthorized: "authentication_error",
  forbidden: "permission_error",
  not_found: "not_found_error",
  method_not_allowed: "invalid_request_error",
  too_large: "request_too_large",
  unsupported: "invalid_request_error",
  model_not_found: "not_found_error",
  context_overflow: "invalid_request_error",
  content_policy: "invalid_request_error",
  credentials: "api_error",
  login_expired: "authentication_error",
  usage_limit: "rate_limit_error",
  rate_limit: "rate_limit_error",
  quota: "billing_error",
  overloaded: "overloaded_error",
  upstream_status: "api_error",
  upstream_unreachable: "api_error",
  upstream_timeout: "timeout_error",
  upstream_protocol: "api_error",
  cancelled: "api_error",
  internal: "api_error",
};

/** Types of upstream's own statuses that are passed on. */
const STATUS_TYPES: Readonly<Record<number, AnthropicErrorType>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  409: "conflict_error",
  413: "request_too_large",
  422: "invalid_request_error",
  429: "rate_limit_error",
  529: "overloaded_error",
};

/** Where the API's status is not the kind's usual one. */
const STATUSES: Partial<Record<ErrorKind, number>> = { overloaded: 529, quota: 402 };

/** The window of most catalogue models, tokens, for an overflow that upstream reports without numbers. */
const USUAL_WINDOW = 272_000;

export function toErrorStatus(error: ProxyError): number {
  return STATUSES[error.kind] ?? error.status;
}

export function toErrorBody(error: ProxyError, requestId: string): object {
  const type = error.kind === "upstream_status" ? (STATUS_TYPES[error.status] ?? "api_error") : TYPES[error.kind];
  const { error_code } = error.details;
  const details = typeof error_code === "string" ? { details: { error_code } } : {};
  return { type: "error", error: { type, message: messageOf(error), ...details }, request_id: requestId };
}

function messageOf(error: ProxyError): string {
  if (error.kind === "context_overflow") return overflowMessage(error);
  if (error.kind === "usage_limit") return limitMessage(error);
  return error.message;
}

/** Claude Code compacts the conversation when it reads exactly this sentence. */
function overflowMessage(error: ProxyError): string {
  const limit = count(error.details.limit);
  const tokens = count(error.details.tokens);
  const maximum = limit ?? (tokens === undefined ? USUAL_WINDOW : tokens - 1);
  return `prompt is too long: ${tokens ?? maximum + 1} tokens > ${maximum} maximum`;
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value > 0 ? value : undefined;
}

/** A person reads this in the client: it says when the plan's window opens again. */
function limitMessage(error: ProxyError): string {
  const message = error.message.replace(/[.\s]*$/, ".");
  if (/resets? (at|in)/i.test(message)) return message;
  const at = error.resetsAt === undefined ? undefined : new Date(error.resetsAt * 1000);
  if (at && !Number.isNaN(at.getTime())) {
    return `${message} It resets at ${at.toISOString().slice(0, 16).replace("T", " ")} UTC.`;
  }
  return error.retryAfter === undefined ? message : `${message} It resets in ${duration(error.retryAfter)}.`;
}

function duration(seconds: number): string {
  const minutes = Math.max(1, Math.ceil(seconds / 60));
  const hours = Math.floor(minutes / 60);
  return hours === 0 ? `${minutes} min` : `${hours} h ${minutes % 60} min`;
}
