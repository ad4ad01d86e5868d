import type { UpstreamErrorObject } from "../canonical/event.ts";
import { failureOf } from "../canonical/failure.ts";
import { hideSecrets } from "../canonical/secrets.ts";
import { type ErrorKind, ProxyError, type ProxyErrorOptions } from "../errors.ts";
import { isObject } from "../json.ts";
import type { CancelSignal, HeaderBag, UpstreamResponse } from "../platform.ts";
import { answerHeaders } from "./answer-headers.ts";

/** An error page beyond this is cut. */
const LONGEST_BODY = 64 * 1024;
/** … and one that does not end is not waited for. */
const BODY_WITHIN_MS = 3_000;

export interface FailureContext {
  /** Epoch ms. */
  readonly now: number;
  /** The model that was asked for, and those there are, for the message about an unknown one. */
  readonly model?: string;
  readonly models?: readonly string[];
}

const KIND_OF_STATUS: Readonly<Record<number, ErrorKind>> = {
  400: "invalid_request",
  401: "login_expired",
  402: "quota",
  403: "forbidden",
  404: "not_found",
  408: "upstream_timeout",
  413: "too_large",
  422: "invalid_request",
  429: "rate_limit",
  503: "overloaded",
  504: "upstream_timeout",
  529: "overloaded",
};

/**
 * An upstream answer that is no 2xx, as a ProxyError. Reads `{error}`, `{detail}` and the edge's HTML pages, none of
 * which reaches the client as it is. `details.upstream` has upstream's error object, `details.upstream_status` its
 * status.
 */
export async function failureOfResponse(response: UpstreamResponse, context: FailureContext): Promise<ProxyError> {
  let text = "";
  try {
    text = await response.text(LONGEST_BODY, BODY_WITHIN_MS);
  } catch {
    // The status alone has to do.
  }
  const failure = failureOfBody(response.status, response.headers, text, context);
  // Codex clients read the plan's windows from the headers of a refusal too.
  failure.details.headers = answerHeaders(response.headers);
  return failure;
}

export function failureOfBody(status: number, headers: HeaderBag, text: string, context: FailureContext): ProxyError {
  if (status >= 300 && status < 400) return redirectFailure(status);
  if (isPage(headers, text)) return pageFailure(status, headers);
  const error = errorIn(text);
  const told = failureOf(error);
  const message = hideSecrets(error?.message || `upstream answered with status ${status}`);
  const options: ProxyErrorOptions = {
    details: { ...told.details, upstream_status: status, ...(error ? { upstream: error } : {}) },
  };
  if (told.code !== undefined) options.code = told.code;
  if (told.param !== undefined) options.param = told.param;
  if (told.resetsAt !== undefined) options.resetsAt = told.resetsAt;
  const wait = retryAfterOf(headers, context.now) ?? told.retryAfter;
  if (wait !== undefined) options.retryAfter = wait;
  const kind = kindOf(status, told, message, headers);
  return describe(kind, status, message, options, error, headers, context);
}

function kindOf(status: number, told: ProxyError, message: string, headers: HeaderBag): ErrorKind {
  if (/credits_depleted/.test(headers.get("x-codex-rate-limit-reached-type") ?? "")) return "quota";
  // Seen as a 404 with the limit only in its text.
  if (message.includes("usage_limit_reached")) return "usage_limit";
  if (/model is not supported when using Codex|^Model not found/i.test(message)) return "model_not_found";
  // A named code says more than the status, except `invalid_request_error`, which 401 and 404 carry too.
  if (told.kind !== "upstream_status" && told.kind !== "invalid_request") return told.kind;
  if (status === 503 && told.code === undefined) return "upstream_status";
  return KIND_OF_STATUS[status] ?? (status >= 400 && status < 500 ? "invalid_request" : "upstream_status");
}

function describe(
  kind: ErrorKind,
  status: number,
  message: string,
  options: ProxyErrorOptions,
  error: UpstreamErrorObject | undefined,
  headers: HeaderBag,
  context: FailureContext,
): ProxyError {
  switch (kind) {
    case "usage_limit":
      return usageLimit(options, error, context.now);
    case "quota":
      if (/credits_depleted/.test(headers.get("x-codex-rate-limit-reached-type") ?? ""))
        return new ProxyError(kind, `the workspace is out of credits (${message}); add credits, or wait`, options);
      return new ProxyError(kind, message, options);
    case "model_not_found":
      return new ProxyError(kind, unknownModel(message, context), {
        ...options,
        code: "model_not_found",
        param: "model",
      });
    case "login_expired":
      return new ProxyError(kind, `upstream refused the login: ${message}`, options);
    case "invalid_request":
      if (/requires a newer version of Codex/i.test(message))
        return new ProxyError(
          kind,
          `${message} (codex-api-proxy: set CODEX_API_PROXY_CLIENT_VERSION to a newer Codex version, or update)`,
          { ...options, status },
        );
      return new ProxyError(kind, message, { ...options, status });
    case "upstream_status":
      return new ProxyError(kind, message, { ...options, status: status === 503 ? 503 : 502 });
    default:
      return new ProxyError(kind, message, options);
  }
}

function usageLimit(options: ProxyErrorOptions, error: UpstreamErrorObject | undefined, now: number): ProxyError {
  const inSeconds = typeof error?.resets_in_seconds === "number" ? error.resets_in_seconds : undefined;
  const resetsAt = options.resetsAt ?? (inSeconds === undefined ? undefined : Math.round(now / 1000) + inSeconds);
  const wait = inSeconds ?? (resetsAt === undefined ? undefined : Math.max(1, Math.round(resetsAt - now / 1000)));
  const plan = typeof error?.plan_type === "string" ? ` of the ${error.plan_type} plan` : "";
  const when =
    resetsAt === undefined || wait === undefined ? "" : `; it resets in ${duration(wait)} (${iso(resetsAt)})`;
  const full: ProxyErrorOptions = { ...options, code: "usage_limit_reached" };
  if (resetsAt !== undefined) full.resetsAt = resetsAt;
  if (wait !== undefined) full.retryAfter = wait;
  return new ProxyError("usage_limit", `The usage limit${plan} has been reached${when}`, full);
}

function unknownModel(message: string, context: FailureContext): string {
  const names = context.models ?? [];
  const asked = context.model === undefined ? message : `model '${context.model}' is not available: ${message}`;
  return names.length === 0 ? asked : `${asked.replace(/\.?$/, ".")} Available models: ${names.join(", ")}`;
}

/** Whoever stands at the other address would get the login. */
function redirectFailure(status: number): ProxyError {
  return new ProxyError(
    "upstream_status",
    `upstream redirects to another address (status ${status}), which is not followed because the login would go with it; check the base URL and the proxy setting`,
    { status: 502, details: { upstream_status: status } },
  );
}

/** The edge's block page or a gateway's error page: its HTML says nothing to a program. */
function pageFailure(status: number, headers: HeaderBag): ProxyError {
  const ray = headers.get("cf-ray");
  const trace = ray ? ` (ray id ${ray})` : "";
  const details = { upstream_status: status, ...(ray ? { ray } : {}) };
  if (status === 403 || status === 401 || headers.has("cf-mitigated"))
    return new ProxyError(
      "forbidden",
      `blocked by the edge in front of upstream (Cloudflare)${trace}: it refused this network, region or client before the login was looked at. Try another network or proxy; the login is not at fault`,
      { details },
    );
  if (status === 429)
    return new ProxyError("rate_limit", `upstream's edge limits this network's rate${trace}`, { details });
  if (status === 413)
    return new ProxyError("too_large", `upstream's edge refused the request as too large${trace}; shorten it`, {
      details,
    });
  return new ProxyError("upstream_status", `upstream's edge answered with an error page, status ${status}${trace}`, {
    status: status === 503 ? 503 : 502,
    details,
  });
}

function isPage(headers: HeaderBag, text: string): boolean {
  return /\bhtml\b/i.test(headers.get("content-type") ?? "") || /^\s*<(?:!doctype|html)/i.test(text);
}

/** The error object of a body: `{error: {…}}`, `{error: "…"}`, `{detail: "…" | {…} | [{msg}]}`, or short plain text. */
function errorIn(text: string): UpstreamErrorObject | undefined {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    const line = text.trim();
    return line === "" ? undefined : { message: line.slice(0, 500) };
  }
  if (!isObject(body)) return undefined;
  const inner = body.error ?? body.detail ?? body;
  if (typeof inner === "string") return { message: inner };
  if (Array.isArray(inner)) {
    const first: unknown = inner[0];
    return {
      message: isObject(first) && typeof first.msg === "string" ? first.msg : JSON.stringify(inner).slice(0, 500),
    };
  }
  if (!isObject(inner)) return undefined;
  const error: UpstreamErrorObject = { ...inner };
  if (typeof error.message !== "string") error.message = JSON.stringify(inner).slice(0, 500);
  for (const name of ["type", "code", "param"] as const) if (typeof error[name] !== "string") delete error[name];
  return error;
}

/** Seconds; upstream states a number or an HTTP date. */
function retryAfterOf(headers: HeaderBag, now: number): number | undefined {
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= 0) return Math.ceil(seconds);
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000));
}

function duration(seconds: number): string {
  const minutes = Math.max(1, Math.round(seconds / 60));
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor((minutes % 1440) / 60);
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
}

function iso(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().replace(".000Z", "Z");
}

/** What a rejected exchange means: nobody answered. */
export function failureOfConnection(cause: unknown, signal: CancelSignal): ProxyError {
  if (signal.aborted) {
    if (signal.reason instanceof ProxyError) return signal.reason;
    return new ProxyError("cancelled", "the client closed the connection", { cause });
  }
  if (cause instanceof ProxyError) return cause;
  const name = isObject(cause) || cause instanceof Error ? String((cause as { name?: unknown }).name ?? "") : "";
  if (/timeout/i.test(name)) {
    return new ProxyError("upstream_timeout", "upstream did not answer in time; try again", { cause });
  }
  const code = codeIn(cause);
  return new ProxyError(
    "upstream_unreachable",
    `upstream cannot be reached${code ? ` (${code})` : ""}; check the network, the proxy setting and the CA bundle`,
    { cause },
  );
}

/** `ECONNREFUSED`, `ENOTFOUND`, `SELF_SIGNED_CERT_IN_CHAIN`: names, never addresses or texts. */
function codeIn(cause: unknown): string | undefined {
  for (let each = cause, depth = 0; each !== null && typeof each === "object" && depth < 4; depth++) {
    const { code, cause: inner } = each as { code?: unknown; cause?: unknown };
    if (typeof code === "string" && /^[A-Z][A-Z0-9_]{2,60}$/i.test(code)) return code;
    each = inner as object;
  }
  return undefined;
}
