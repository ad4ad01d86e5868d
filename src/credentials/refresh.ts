import type { ProxyConfig } from "../config/config.ts";
import { isObject } from "../json.ts";
import type { Clock, HeaderBag, UpstreamFetch } from "../platform.ts";
import type { IssuedTokens } from "./auth-file.ts";
import { DeadlineError, withDeadline } from "./deadline.ts";
import { failureOfAnswer, failureOfNetwork, type RefreshFailure } from "./refresh-failure.ts";

/** Why the token is refreshed; goes on the wire as `refresh_reason`. */
export type RefreshReason = "proactive_expiry" | "unauthorized_recovery";

export type RefreshOutcome = { readonly issued: IssuedTokens } | { readonly failure: RefreshFailure };

export interface RefreshDeps {
  readonly fetch: UpstreamFetch;
  readonly clock: Clock;
  readonly config: Pick<ProxyConfig, "refreshTokenUrl" | "oauthClientId" | "identity">;
}

/**
 * The call is given up after this. Requests wait far less; the call itself lives longer, because an answer that nobody
 * reads has still spent the refresh token.
 */
const CALL_MS = 30_000;
const ANSWER_LIMIT = 256 * 1024;

/** Spends a refresh token: one call of the token endpoint, never repeated here. Never throws. */
export async function requestRefresh(
  deps: RefreshDeps,
  refreshToken: string,
  reason: RefreshReason,
): Promise<RefreshOutcome> {
  try {
    return await withDeadline(deps.clock, CALL_MS, async (signal) => {
      const response = await deps.fetch(deps.config.refreshTokenUrl, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "*/*",
          originator: deps.config.identity.originator,
          "user-agent": deps.config.identity.userAgent,
        },
        body: JSON.stringify({
          client_id: deps.config.oauthClientId,
          grant_type: "refresh_token",
          refresh_token: refreshToken,
          refresh_reason: reason,
        }),
        signal,
      });
      return readAnswer(response.status, response.headers, await response.text(ANSWER_LIMIT));
    });
  } catch (cause) {
    const host = new URL(deps.config.refreshTokenUrl).host;
    return { failure: failureOfNetwork(cause, cause instanceof DeadlineError, host) };
  }
}

function readAnswer(status: number, headers: HeaderBag, text: string): RefreshOutcome {
  if (status !== 200) return { failure: failureOfAnswer(status, headers, text) };
  const issued = readIssuedTokens(text);
  if (issued === undefined) {
    const message = "the token endpoint answered with something that is not its protocol";
    return { failure: { code: "refresh_malformed", message, permanent: false } };
  }
  if (Object.keys(issued).length > 0) return { issued };
  return {
    failure: { code: "refresh_empty", message: "the token endpoint's answer holds no token", permanent: false },
  };
}

/** Tokens in an answer of `/oauth/token`; undefined when it is not a JSON object. */
export function readIssuedTokens(text: string): IssuedTokens | undefined {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(body)) return undefined;
  const { id_token, access_token, refresh_token } = body;
  return {
    ...(isToken(id_token) && { idToken: id_token }),
    ...(isToken(access_token) && { accessToken: access_token }),
    ...(isToken(refresh_token) && { refreshToken: refresh_token }),
  };
}

const isToken = (value: unknown): value is string => typeof value === "string" && value !== "";
