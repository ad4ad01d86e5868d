import type { ProxyConfig } from "../config/config.ts";
import { ProxyError } from "../errors.ts";
import { isObject } from "../json.ts";
import type { Log } from "../observability/log.ts";
import type { Clock, UpstreamFetch } from "../platform.ts";
import { withDeadline } from "./deadline.ts";

/** Whose personal access token it is, as `user-auth-credential/whoami` tells. */
export interface PatOwner {
  readonly accountId: string | undefined;
  readonly email: string | undefined;
  readonly plan: string | undefined;
  readonly fedramp: boolean;
}

export interface PatDeps {
  readonly fetch: UpstreamFetch;
  readonly clock: Clock;
  readonly config: Pick<ProxyConfig, "authIssuer" | "identity">;
}

const CALL_MS = 5_000;
const TRY_AGAIN_MS = 30_000;
const UNKNOWN: PatOwner = { accountId: undefined, email: undefined, plan: undefined, fedramp: false };

/**
 * Asks once whose token it is.
 * @throws ProxyError `login_expired` when the token is refused; the runtime's own error when there is no answer.
 */
export async function fetchPatOwner({ fetch, clock, config }: PatDeps, token: string): Promise<PatOwner> {
  return await withDeadline(clock, CALL_MS, async (signal) => {
    const response = await fetch(`${config.authIssuer}/api/accounts/v1/user-auth-credential/whoami`, {
      method: "GET",
      headers: {
        authorization: `Bearer ${token}`,
        accept: "*/*",
        originator: config.identity.originator,
        "user-agent": config.identity.userAgent,
      },
      signal,
    });
    const text = await response.text(64 * 1024);
    if (response.status === 401) throw refusedPat();
    if (response.status !== 200) throw new Error(`whoami answered ${response.status}`);
    const body: unknown = JSON.parse(text);
    return isObject(body) ? readOwner(body) : UNKNOWN;
  });
}

/** The error for a personal access token that upstream does not accept. */
export function refusedPat(): ProxyError {
  return new ProxyError("login_expired", "the personal access token was refused: create a new one and sign in with it");
}

/**
 * Owners of personal access tokens, asked for at the first use of each process. Without an answer requests go out without
 * the account id, which upstream accepts, and the question is put again later.
 */
export function createPatOwners(deps: PatDeps & { readonly log: Log }): (token: string) => Promise<PatOwner> {
  let known: { readonly token: string; readonly owner: Promise<PatOwner>; readonly until: number } | undefined;

  return async (token) => {
    const now = deps.clock.now();
    if (known?.token !== token || now >= known.until) {
      const owner = fetchPatOwner(deps, token);
      const asked = { token, owner, until: Number.POSITIVE_INFINITY };
      known = asked;
      owner.catch(() => {
        if (known === asked) known = { ...asked, until: deps.clock.now() + TRY_AGAIN_MS };
        deps.log.write("credentials", "warning", "pat_owner_unknown", {
          message: "the account of the personal access token could not be asked for",
        });
      });
    }
    try {
      return await known.owner;
    } catch (error) {
      if (error instanceof ProxyError) throw error;
      return UNKNOWN;
    }
  };
}

function readOwner(body: Record<string, unknown>): PatOwner {
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
  return {
    accountId: text(body.chatgpt_account_id),
    email: text(body.email),
    plan: text(body.chatgpt_plan_type),
    fedramp: body.chatgpt_account_is_fedramp === true,
  };
}
