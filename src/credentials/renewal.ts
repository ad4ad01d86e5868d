import { ProxyError } from "../errors.ts";
import type { Log } from "../observability/log.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { ChatgptLogin, StoredLogin } from "./auth-file.ts";
import { DeadlineError, withDeadline } from "./deadline.ts";
import { isExpired, isRefreshDue } from "./freshness.ts";
import type { RefreshReason } from "./refresh.ts";
import type { RefreshFailure } from "./refresh-failure.ts";
import { fingerprint, type RenewApart } from "./renew-apart.ts";
import { type RenewalOutcome, type RenewOnceDeps, renewOnce } from "./renew-once.ts";
import { createRenewalGuard } from "./renewal-guard.ts";

export interface RenewalDeps extends RenewOnceDeps {
  readonly log: Log;
  readonly metrics: Pick<Metrics, "tokenRefreshed">;
  /** Undefined: refreshes run in this process. */
  readonly renewApart?: RenewApart | undefined;
}

/** Renews the login in auth.json: one refresh at a time, in this process and across those of this program. */
export interface Renewal {
  /**
   * A login that is good to send. Refreshes when that is due; where the access token is still valid, a refresh that fails
   * or takes long changes nothing.
   * @throws ProxyError `login_expired`, or `credentials` when the token endpoint cannot be used for now.
   */
  ensureFresh(login: StoredLogin): Promise<StoredLogin>;
  /** A login other than the one that upstream refused. Throws like {@link ensureFresh}. */
  replaceRefused(login: ChatgptLogin): Promise<StoredLogin>;
  /** Resolves when no refresh is under way: a process that exits before loses the answer, and with it the login. */
  settled(): Promise<void>;
}

/** How long a request waits for a refresh that is under way while its own token is valid. */
const PATIENCE_VALID_MS = 2_000;
/** And when it is not: for the token endpoint, from the call on. */
const PATIENCE_CALL_MS = 10_000;
/** Before that for other processes; longer than a dead one's lock lives. */
const PATIENCE_LOCK_MS = 20_000;

const UNCHANGED: RefreshFailure = {
  code: "refresh_without_effect",
  message: "auth.json still holds the same login",
  permanent: false,
};

/** A refresh under way, for all requests that need it. */
interface Flight {
  readonly promise: Promise<StoredLogin>;
  readonly startedAt: number;
  /** Resolves with the time at which other processes were locked out. */
  readonly locked: Promise<number>;
}

export function createRenewal(deps: RenewalDeps): Renewal {
  const { store, clock, log, metrics } = deps;
  const guard = createRenewalGuard(clock);
  let flight: Flight | undefined;

  async function ensureFresh(login: StoredLogin): Promise<StoredLogin> {
    if (login.mode !== "chatgpt" || !isDue(login)) return login;
    const expired = isExpired(login, clock.now());
    let fresh: StoredLogin;
    try {
      fresh = await join(login, "proactive_expiry", !expired);
    } catch (error) {
      if (expired) throw error;
      return login;
    }
    // What another process wrote meanwhile can be about to expire as well.
    return await ensureFresh(fresh);
  }

  function isDue(login: ChatgptLogin): boolean {
    return isRefreshDue(login, clock.now()) && !guard.isJustIssued(login);
  }

  async function replaceRefused(login: ChatgptLogin): Promise<StoredLogin> {
    const renewed = await join(login, "unauthorized_recovery", false);
    const isOther = renewed.mode !== "chatgpt" || renewed.accessToken !== login.accessToken;
    // Else the refresh under way had been begun for an older token, and found the refused one in the file.
    return await ensureFresh(isOther ? renewed : await join(login, "unauthorized_recovery", false));
  }

  /** Joins the refresh under way, or starts one. A request whose token is valid has little patience. */
  async function join(login: ChatgptLogin, reason: RefreshReason, valid: boolean): Promise<StoredLogin> {
    if (flight === undefined) {
      guard.check(login, reason);
      flight = start(login, reason);
    }
    const { promise, startedAt, locked } = flight;
    if (valid) return waitUntil(startedAt + PATIENCE_VALID_MS, promise);
    // A flight that ends without the lock has failed, and says so here.
    const lockedAt = await waitUntil(
      startedAt + PATIENCE_LOCK_MS,
      Promise.race([locked, promise.then(() => startedAt)]),
    );
    return waitUntil(lockedAt + PATIENCE_CALL_MS, promise);
  }

  function start(login: ChatgptLogin, reason: RefreshReason): Flight {
    let onLocked: (at: number) => void = () => {};
    const locked = new Promise<number>((resolve) => {
      onLocked = resolve;
    });
    const promise = renew(login, reason, () => onLocked(clock.now())).finally(() => {
      flight = undefined;
    });
    // Whoever waits hears of it; when nobody does any longer, it has been logged.
    promise.catch(() => {});
    return { promise, startedAt: clock.now(), locked };
  }

  async function waitUntil<T>(time: number, promise: Promise<T>): Promise<T> {
    try {
      return await withDeadline(clock, Math.max(time - clock.now(), 0), () => promise);
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      const message = "the login is being renewed, but there is no answer yet; try again";
      throw new ProxyError("credentials", message, { code: "refresh_timeout", retryAfter: 5 });
    }
  }

  async function renew(seen: ChatgptLogin, reason: RefreshReason, onLocked: () => void): Promise<StoredLogin> {
    const outcome = await attempt(seen, reason, onLocked);
    const latest = await store.read({ force: true });
    if ("failure" in outcome) metrics.tokenRefreshed(false);
    if (latest === undefined) throw signedOut();
    if (latest.mode === "chatgpt" && latest.accessToken === seen.accessToken) {
      throw noteFailure(latest, "failure" in outcome ? outcome.failure : UNCHANGED, reason);
    }
    if ("renewed" in outcome && outcome.renewed) {
      metrics.tokenRefreshed(true);
      guard.succeeded(latest, reason);
      log.write("credentials", "info", "token_refreshed", { reason });
    } else {
      log.write("credentials", "info", "login_adopted", { message: "another process has renewed the login" });
    }
    return latest;
  }

  async function attempt(seen: ChatgptLogin, reason: RefreshReason, onLocked: () => void): Promise<RenewalOutcome> {
    if (deps.renewApart !== undefined) {
      try {
        return await deps.renewApart({ reason, seen: await fingerprint(seen.accessToken) }, onLocked);
      } catch {
        // No such process can run here; if one is at work all the same, its lock and the file keep the token from a second use.
        log.write("credentials", "warning", "renewal_in_process", {
          message: "the login is renewed by the server itself",
        });
      }
    }
    return renewOnce(deps, reason, (login) => login.accessToken === seen.accessToken, onLocked);
  }

  function noteFailure(login: ChatgptLogin, failure: RefreshFailure, reason: RefreshReason): ProxyError {
    const error = guard.failed(login, failure);
    log.write("credentials", failure.permanent ? "error" : "warning", "token_refresh_failed", {
      reason,
      code: failure.code,
      permanent: failure.permanent,
      message: error.message,
    });
    return error;
  }

  return {
    ensureFresh,
    replaceRefused,
    async settled() {
      while (flight !== undefined) await flight.promise.catch(() => {});
    },
  };
}

function signedOut(): ProxyError {
  return new ProxyError("credentials", "auth.json was removed: sign in with `codex login` or `codex-api-proxy login`");
}
