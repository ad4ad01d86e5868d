import type { RefreshReason } from "./refresh.ts";
import type { RenewalOutcome } from "./renew-once.ts";

/** A renewal to be done by a process of its own. */
export interface RenewalTask {
  readonly reason: RefreshReason;
  /** SHA-256 of the access token that needs renewing, lower-case hex: the file may hold a newer one by then. */
  readonly seen: string;
}

/**
 * Runs {@link renewOnce} in another process and tells how it ended. A refresh token is single-use: were the server killed
 * between spending it and writing its successor, the login would be lost. The other process finishes that on its own.
 * Rejects when such a process cannot be run or ends without a word.
 * `onLocked` is called as {@link renewOnce} does.
 */
export type RenewApart = (task: RenewalTask, onLocked: () => void) => Promise<RenewalOutcome>;

/** The form in which an access token is named outside of auth.json. */
export async function fingerprint(accessToken: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(accessToken));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
