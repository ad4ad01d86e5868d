import { jsonAnswer } from "../answer.ts";
import type { ErrorKind, ProxyError } from "../errors.ts";
import type { Answer } from "../platform.ts";

/** The part of a dialect that renders errors. */
export interface ErrorDialect {
  toErrorBody(error: ProxyError, requestId: string): object;
  toErrorStatus(error: ProxyError): number;
}

const LASTING: ReadonlySet<ErrorKind> = new Set(["usage_limit", "quota", "login_expired", "unsupported"]);

/** An error as the client's own API would answer it. */
export function errorAnswer(error: ProxyError, dialect: ErrorDialect, requestId: string, now: number): Answer {
  const headers: Record<string, string> = {};
  const wait = retryAfter(error, now);
  if (wait !== undefined) headers["retry-after"] = String(wait);
  if (error.status === 401) headers["www-authenticate"] = 'Bearer realm="codex-api-proxy"';
  if (error.status === 426) {
    headers.upgrade = "HTTP/1.1";
    headers.connection = "close";
  }
  const allow = error.details.allow;
  if (typeof allow === "string") headers.allow = allow;
  // What will not pass by itself is not to be repeated by an SDK: the plan's window opens at its own time.
  const missingLogin = error.kind === "credentials" && wait === undefined;
  if (LASTING.has(error.kind) || missingLogin) headers["x-should-retry"] = "false";
  const forwarded = error.details.headers;
  if (typeof forwarded === "object" && forwarded !== null) {
    for (const [name, value] of Object.entries(forwarded)) if (typeof value === "string") headers[name] = value;
  }
  return jsonAnswer(dialect.toErrorBody(error, requestId), dialect.toErrorStatus(error), headers);
}

/** Whole seconds until a repeat makes sense. */
function retryAfter(error: ProxyError, now: number): number | undefined {
  if (error.retryAfter !== undefined) return Math.max(1, Math.ceil(error.retryAfter));
  if (error.resetsAt !== undefined) return Math.max(1, Math.ceil(error.resetsAt - now / 1000));
  return undefined;
}
