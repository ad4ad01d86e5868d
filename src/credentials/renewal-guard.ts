import { ProxyError } from "../errors.ts";
import type { Clock } from "../platform.ts";
import type { ChatgptLogin, StoredLogin } from "./auth-file.ts";
import { isExpired } from "./freshness.ts";
import type { RefreshReason } from "./refresh.ts";
import type { RefreshFailure } from "./refresh-failure.ts";

/** Remembers how refreshes went, so that none is tried that cannot help. */
export interface RenewalGuard {
  /** @throws ProxyError when a refresh of this login is known to be useless now. */
  check(login: ChatgptLogin, reason: RefreshReason): void;
  /** True for a token that was issued to this process moments ago: a short-lived one, or the clock is wrong. */
  isJustIssued(login: ChatgptLogin): boolean;
  succeeded(login: StoredLogin, reason: RefreshReason): void;
  /** Notes the failure and gives the error that requests are answered with until something changes. */
  failed(login: ChatgptLogin, failure: RefreshFailure): ProxyError;
}

/** First pause after a failure; doubles up to the limit. Requests do not suffer while the access token is valid. */
const PAUSE_VALID_MS = 30_000;
const PAUSE_EXPIRED_MS = 5_000;
const PAUSE_LIMIT_MS = 60_000;
const JUST_ISSUED_MS = 60_000;
/** Refreshes after a 401 that are tried within a minute: upstream refuses the account, not the token. */
const RECOVERIES_PER_MINUTE = 3;

const SIGN_IN = "sign in again with `codex login` or `codex-api-proxy login`";

export function createRenewalGuard(clock: Clock): RenewalGuard {
  let dead: { readonly refreshToken: string | undefined; readonly error: ProxyError } | undefined;
  let pause:
    | {
        readonly refreshToken: string | undefined;
        readonly until: number;
        readonly ms: number;
        readonly error: ProxyError;
      }
    | undefined;
  let issued: { readonly accessToken: string; readonly at: number } | undefined;
  let recoveries: number[] = [];

  function checkRecoveries(now: number): void {
    recoveries = recoveries.filter((at) => now - at < 60_000);
    if (recoveries.length < RECOVERIES_PER_MINUTE) return;
    throw new ProxyError("login_expired", `upstream keeps refusing the login although it was renewed: ${SIGN_IN}`, {
      code: "login_refused",
    });
  }

  return {
    check(login, reason) {
      if (login.refreshToken === undefined) {
        throw new ProxyError(
          "login_expired",
          `the access token is no longer accepted and there is no refresh token: ${SIGN_IN}`,
        );
      }
      if (dead?.refreshToken === login.refreshToken) throw repeat(dead.error);
      const now = clock.now();
      if (pause !== undefined && pause.refreshToken === login.refreshToken && now < pause.until) {
        throw repeat(pause.error, Math.ceil((pause.until - now) / 1000));
      }
      if (reason === "unauthorized_recovery") checkRecoveries(now);
    },
    isJustIssued(login) {
      return issued?.accessToken === login.accessToken && clock.now() - issued.at < JUST_ISSUED_MS;
    },
    succeeded(login, reason) {
      dead = undefined;
      pause = undefined;
      const now = clock.now();
      if (login.mode === "chatgpt") issued = { accessToken: login.accessToken, at: now };
      if (reason === "unauthorized_recovery") recoveries.push(now);
    },
    failed(login, failure) {
      const { refreshToken } = login;
      if (failure.permanent) {
        const error = new ProxyError("login_expired", `${failure.message}: ${SIGN_IN}`, { code: failure.code });
        dead = { refreshToken, error };
        return error;
      }
      const now = clock.now();
      const first = isExpired(login, now) ? PAUSE_EXPIRED_MS : PAUSE_VALID_MS;
      const last = pause !== undefined && pause.refreshToken === refreshToken ? pause.ms : 0;
      const ms = Math.max(Math.min(Math.max(first, last * 2), PAUSE_LIMIT_MS), (failure.retryAfter ?? 0) * 1000);
      const message = `the login could not be renewed: ${failure.message}`;
      const error = new ProxyError("credentials", message, { code: failure.code, retryAfter: Math.ceil(ms / 1000) });
      pause = { refreshToken, until: now + ms, ms, error };
      return error;
    },
  };
}

/** A new error for each request, so that stack and retry-after are its own. */
function repeat({ kind, message, code, retryAfter }: ProxyError, wait = retryAfter): ProxyError {
  return new ProxyError(kind, message, {
    ...(code !== undefined && { code }),
    ...(wait !== undefined && { retryAfter: wait }),
  });
}
