/**
 * What can go wrong, told by who has to act. The set is closed: each dialect maps every kind to its own envelope
 * (`dialects/<name>/errors.ts`), and `statusOf` below gives the HTTP status all dialects start from.
 */
export type ErrorKind =
  | "invalid_request" // the client's JSON or a parameter; `param` names it
  | "unauthorized" // the client's key for this proxy
  | "forbidden" // host or origin not allowed, upstream's 403
  | "not_found" // unknown route or unknown id
  | "method_not_allowed"
  | "too_large" // request body over the limit
  | "unsupported" // a known API that this login cannot serve
  | "model_not_found"
  | "context_overflow" // `details.tokens` and `details.limit` when known
  | "content_policy" // upstream refused the prompt
  | "credentials" // no usable auth.json: the file is missing or unreadable
  | "login_expired" // the login is dead: sign in again
  | "usage_limit" // the plan's window is used up; `resetsAt` when known
  | "rate_limit"
  | "quota" // out of credits, or not in the plan
  | "overloaded"
  | "upstream_status" // any other upstream error answer
  | "upstream_unreachable" // DNS, connect, TLS, proxy, reset before headers
  | "upstream_timeout"
  | "upstream_protocol" // upstream ended early or sent what is not its protocol
  | "cancelled" // the client left
  | "internal";

const STATUS: Record<ErrorKind, number> = {
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  too_large: 413,
  unsupported: 501,
  model_not_found: 404,
  context_overflow: 400,
  content_policy: 400,
  credentials: 503,
  login_expired: 401,
  usage_limit: 429,
  rate_limit: 429,
  quota: 429,
  overloaded: 503,
  upstream_status: 502,
  upstream_unreachable: 502,
  upstream_timeout: 504,
  upstream_protocol: 502,
  cancelled: 499,
  internal: 500,
};

export interface ProxyErrorOptions {
  /** HTTP status, where it is not the kind's usual one (an upstream 4xx that is passed on). */
  status?: number;
  /** The parameter at fault, as a path in the client's own JSON: `messages[0].content`. */
  param?: string;
  /** Upstream's or OpenAI's machine-readable code, e.g. `usage_limit_reached`. */
  code?: string;
  /** Seconds until a repeat makes sense; becomes `retry-after`. */
  retryAfter?: number;
  /** Epoch seconds at which a used-up window opens again. */
  resetsAt?: number;
  /** Facts for a dialect's envelope: token counts, upstream's error object, `error_code`. */
  details?: Record<string, unknown>;
  cause?: unknown;
}

/** The one error class. Its message is for a person: no token, no path of the user's home, what to do next. */
export class ProxyError extends Error {
  readonly kind: ErrorKind;
  readonly status: number;
  readonly param: string | undefined;
  readonly code: string | undefined;
  readonly retryAfter: number | undefined;
  readonly resetsAt: number | undefined;
  readonly details: Record<string, unknown>;

  constructor(kind: ErrorKind, message: string, options: ProxyErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ProxyError";
    this.kind = kind;
    this.status = options.status ?? STATUS[kind];
    this.param = options.param;
    this.code = options.code;
    this.retryAfter = options.retryAfter;
    this.resetsAt = options.resetsAt;
    this.details = options.details ?? {};
  }
}

/** Any thrown value as a ProxyError; an unforeseen one becomes `internal` without its text reaching the client. */
export function toProxyError(error: unknown): ProxyError {
  if (error instanceof ProxyError) return error;
  return new ProxyError("internal", "internal error in codex-api-proxy; see its log", { cause: error });
}

/** What a log tells of an error that nobody expected. */
export function traceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
