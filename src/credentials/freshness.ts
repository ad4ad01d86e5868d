import type { ChatgptLogin } from "./auth-file.ts";

/** Codex refreshes when the access token's `exp` is this near. */
const EXPIRY_MARGIN_MS = 5 * 60_000;
/** And, only where `exp` cannot be read, when the last refresh is older than this. */
const MAX_AGE_MS = 8 * 24 * 3_600_000;

type Times = Pick<ChatgptLogin, "expiresAt" | "lastRefresh">;

/** True when Codex's rules ask for a refresh before the next request. `now` in epoch milliseconds. */
export function isRefreshDue({ expiresAt, lastRefresh }: Times, now: number): boolean {
  if (expiresAt !== undefined) return expiresAt * 1000 <= now + EXPIRY_MARGIN_MS;
  return lastRefresh !== undefined && now - lastRefresh > MAX_AGE_MS;
}

/** True when upstream will refuse the access token for its age. One whose `exp` cannot be read may still be good. */
export function isExpired({ expiresAt }: Times, now: number): boolean {
  return expiresAt !== undefined && expiresAt * 1000 <= now;
}
