import { isObject } from "../json.ts";
import type { HeaderBag } from "../platform.ts";

/** Why a refresh did not succeed. `message` is for a person: it says what happened and never holds a token. */
export interface RefreshFailure {
  /** Snake-case name for the log and for clients that read codes. */
  readonly code: string;
  readonly message: string;
  /** True when the refresh token is dead: no repeat can help, only a new login. */
  readonly permanent: boolean;
  /** Seconds that the endpoint asks to wait. */
  readonly retryAfter?: number;
}

const PERMANENT: Readonly<Record<string, string>> = {
  refresh_token_expired: "the login has expired",
  refresh_token_reused:
    "the login's refresh token was already used by another program, which did not write the new one to auth.json",
  refresh_token_invalidated: "the login was revoked: signed out elsewhere, or the password was changed",
  invalid_grant: "the login's refresh token is not known to OpenAI (invalid_grant)",
};

/** What an answer of the token endpoint other than 200 means. */
export function failureOfAnswer(status: number, headers: HeaderBag, text: string): RefreshFailure {
  const code = errorCode(text);
  const known = code === undefined ? undefined : PERMANENT[code];
  if (known !== undefined && code !== undefined && (status === 400 || status === 401)) {
    return { code, message: known, permanent: true };
  }
  if (status === 401) {
    const detail = code === undefined ? "" : ` (${code})`;
    return {
      code: code ?? "session_ended",
      message: `OpenAI ended the session of this login${detail}`,
      permanent: true,
    };
  }
  return transient(status, headers, code);
}

function transient(status: number, headers: HeaderBag, code: string | undefined): RefreshFailure {
  const named = code === undefined ? "" : `, ${code}`;
  if (status === 403) {
    const edge = headers.has("cf-mitigated") || /html/i.test(headers.get("content-type") ?? "");
    const message = edge
      ? "OpenAI's edge blocked the call to the token endpoint (403); check the network, VPN or proxy"
      : `the token endpoint refused the call (403${named})`;
    return { code: edge ? "refresh_blocked" : "refresh_forbidden", message, permanent: false };
  }
  if (status === 407) {
    return { code: "proxy_auth", message: "the outbound proxy asks for credentials (407)", permanent: false };
  }
  if (status === 429) {
    const wait = Number.parseInt(headers.get("retry-after") ?? "", 10);
    const message = "the token endpoint limits the rate of calls (429)";
    const failure = { code: "refresh_rate_limited", message, permanent: false };
    return wait > 0 ? { ...failure, retryAfter: Math.min(wait, 600) } : failure;
  }
  if (status >= 500) {
    return { code: "refresh_server_error", message: `the token endpoint is failing (${status})`, permanent: false };
  }
  if (status >= 300 && status < 400) {
    return {
      code: "refresh_redirected",
      message: `the token endpoint answered with a redirect (${status})`,
      permanent: false,
    };
  }
  return {
    code: "refresh_refused",
    message: `the token endpoint refused the call (${status}${named})`,
    permanent: false,
  };
}

/** The error code in any of the shapes seen: `{error:{code}}`, `{error:"…"}`, `{code}`. Only a plain word is passed on. */
function errorCode(text: string): string | undefined {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(body)) return undefined;
  const error = isObject(body.error) ? (body.error.code ?? body.error.type) : (body.error ?? body.code);
  return typeof error === "string" && /^[a-z_]{1,48}$/.test(error) ? error : undefined;
}

/** What it means that there was no answer at all. */
export function failureOfNetwork(cause: unknown, timedOut: boolean, host: string): RefreshFailure {
  if (timedOut) {
    return {
      code: "refresh_timeout",
      message: `the token endpoint (${host}) did not answer in time`,
      permanent: false,
    };
  }
  const code = networkCode(cause);
  const named = code === undefined ? "" : ` (${code})`;
  if (code !== undefined && /CERT|SSL|TLS|ISSUER|SIGNED/.test(code)) {
    const message = `the certificate of the token endpoint (${host}) is not trusted${named}; behind a TLS-inspecting proxy set CODEX_API_PROXY_CA_BUNDLE`;
    return { code: "refresh_tls", message, permanent: false };
  }
  return {
    code: "refresh_unreachable",
    message: `the token endpoint (${host}) cannot be reached${named}`,
    permanent: false,
  };
}

/** The system's code, wherever the runtime nests it. Messages are not passed on: they can hold a proxy's password. */
function networkCode(cause: unknown): string | undefined {
  for (let error = cause, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth++) {
    const { code } = error as { code?: unknown };
    if (typeof code === "string" && /^[A-Z][A-Z0-9_]{2,60}$/.test(code)) return code;
  }
  return undefined;
}
