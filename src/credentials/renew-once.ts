import type { Clock } from "../platform.ts";
import type { ChatgptLogin, StoredLogin } from "./auth-file.ts";
import type { AuthStore } from "./auth-store.ts";
import { type RefreshDeps, type RefreshReason, requestRefresh } from "./refresh.ts";
import type { RefreshFailure } from "./refresh-failure.ts";

export interface RenewOnceDeps extends RefreshDeps {
  readonly store: AuthStore;
}

/** How an attempt to renew the login ended. */
export type RenewalOutcome =
  /** True: by this attempt. False: the file held another login already, or none. */
  { readonly renewed: boolean } | { readonly failure: RefreshFailure };

/** Codex may have spent the token and not written the new one yet. */
const OTHERS_WRITE_POLLS = 10;
const OTHERS_WRITE_PAUSE_MS = 300;

/**
 * Renews the login in auth.json, while no other process of this program does: reads it again, spends the refresh token,
 * writes the result. Never throws for what the token endpoint does.
 * @param isSeen Tells whether the login in the file is still the one that needs renewing.
 * @param onLocked Called when other processes are locked out.
 */
export async function renewOnce(
  deps: RenewOnceDeps,
  reason: RefreshReason,
  isSeen: (login: ChatgptLogin) => boolean | Promise<boolean>,
  onLocked: () => void,
): Promise<RenewalOutcome> {
  const { store } = deps;
  let locked = false;
  try {
    return await store.withLock(async () => {
      locked = true;
      onLocked();
      const login = await store.read({ force: true });
      if (login?.mode !== "chatgpt" || !(await isSeen(login))) return { renewed: false };
      return (await unwritable(store)) ?? (await spend(deps, login, reason));
    });
  } catch (cause) {
    if (locked) throw cause;
    return { failure: fileFailure(cause) };
  }
}

async function spend(deps: RenewOnceDeps, login: ChatgptLogin, reason: RefreshReason): Promise<RenewalOutcome> {
  const outcome = await requestRefresh(deps, login.refreshToken ?? "", reason);
  if ("failure" in outcome) {
    const { failure } = outcome;
    const replaced = failure.permanent && (await isReplacedByOthers(deps.store, deps.clock, login, failure));
    return replaced ? { renewed: false } : outcome;
  }
  await deps.store.commit(login, outcome.issued);
  if (outcome.issued.accessToken !== undefined) return { renewed: true };
  const message = "the token endpoint's answer holds no new access token";
  return { failure: { code: "refresh_without_access_token", message, permanent: false } };
}

/** Tried before the refresh token is spent: what cannot be written would be lost. */
async function unwritable(store: AuthStore): Promise<RenewalOutcome | undefined> {
  try {
    await store.checkWritable();
    return undefined;
  } catch (cause) {
    return { failure: fileFailure(cause) };
  }
}

/** After a refusal for good: whether another program has written a newer login meanwhile. */
async function isReplacedByOthers(
  store: AuthStore,
  clock: Clock,
  login: ChatgptLogin,
  { code }: RefreshFailure,
): Promise<boolean> {
  const polls = code === "refresh_token_reused" ? OTHERS_WRITE_POLLS : 1;
  for (let poll = 1; poll <= polls; poll++) {
    if (!isSameLogin(await store.read({ force: true }), login)) return true;
    if (poll < polls) await clock.sleep(OTHERS_WRITE_PAUSE_MS);
  }
  return false;
}

function isSameLogin(latest: StoredLogin | undefined, login: ChatgptLogin): boolean {
  if (latest?.mode !== "chatgpt") return false;
  return latest.refreshToken === login.refreshToken && latest.accessToken === login.accessToken;
}

function fileFailure(cause: unknown): RefreshFailure {
  const code = (cause as { code?: unknown } | null)?.code;
  if (code === "ELOCKED") {
    const message = "another codex-api-proxy process has been renewing the login for too long";
    return { code: "auth_file_locked", message, permanent: false };
  }
  const named = typeof code === "string" && /^[A-Z][A-Z0-9_]*$/.test(code) ? ` (${code})` : "";
  const message = `CODEX_HOME cannot be written${named}, so that a renewed login would be lost; make it writable`;
  return { code: "auth_file_not_writable", message, permanent: false };
}
