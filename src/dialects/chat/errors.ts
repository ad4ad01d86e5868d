import type { ErrorKind, ProxyError } from "../../errors.ts";
import type { ErrorBody } from "./answer.ts";

/** How OpenAI names each kind of failure: `type` and, unless upstream gave a code of its own, `code`. */
const NAMES: Readonly<Record<ErrorKind, readonly [type: string, code: string | null]>> = {
  invalid_request: ["invalid_request_error", null],
  unauthorized: ["invalid_request_error", "invalid_api_key"],
  forbidden: ["permission_error", null],
  not_found: ["invalid_request_error", null],
  method_not_allowed: ["invalid_request_error", "method_not_supported"],
  too_large: ["invalid_request_error", "request_too_large"],
  unsupported: ["invalid_request_error", "unsupported"],
  model_not_found: ["invalid_request_error", "model_not_found"],
  context_overflow: ["invalid_request_error", "context_length_exceeded"],
  content_policy: ["invalid_request_error", "content_policy_violation"],
  credentials: ["server_error", "credentials_unavailable"],
  login_expired: ["authentication_error", "login_expired"],
  usage_limit: ["insufficient_quota", "insufficient_quota"],
  rate_limit: ["rate_limit_error", "rate_limit_exceeded"],
  quota: ["insufficient_quota", "insufficient_quota"],
  overloaded: ["server_error", "server_is_overloaded"],
  upstream_status: ["server_error", null],
  upstream_unreachable: ["server_error", "upstream_unreachable"],
  upstream_timeout: ["server_error", "upstream_timeout"],
  upstream_protocol: ["server_error", "upstream_protocol"],
  cancelled: ["server_error", "cancelled"],
  internal: ["server_error", "internal_error"],
};

/** Kinds whose code clients act on, whatever upstream calls it: no retry for a used-up plan, compaction for an overflow. */
const FIXED_CODES: ReadonlySet<ErrorKind> = new Set([
  "unauthorized",
  "model_not_found",
  "context_overflow",
  "usage_limit",
  "quota",
  "rate_limit",
]);

/** OpenAI's error envelope (https://platform.openai.com/docs/guides/error-codes). The request id is in its header. */
export function toErrorBody(error: ProxyError): ErrorBody {
  const [type, code] = NAMES[error.kind];
  const isRefusal = error.kind === "upstream_status" && error.status >= 400 && error.status < 500;
  return {
    error: {
      message: toMessage(error),
      type: isRefusal ? "invalid_request_error" : type,
      param: error.param ?? null,
      code: FIXED_CODES.has(error.kind) ? code : (error.code ?? code),
    },
  };
}

/** OpenAI's statuses are those of the kinds. */
export function toErrorStatus(error: ProxyError): number {
  return error.status;
}

/** A used-up plan says when it opens again, since Chat has no field for that. */
function toMessage(error: ProxyError): string {
  if (error.kind !== "usage_limit" || error.resetsAt === undefined || /resets? (at|in)/i.test(error.message))
    return error.message;
  const time = new Date(error.resetsAt * 1000).toISOString().replace(".000Z", "Z");
  return `${error.message.replace(/[.\s]*$/, "")}. It resets at ${time}.`;
}
