import type { ProxyConfig } from "../config/config.ts";
import type { Credentials } from "../credentials/credentials.ts";
import { isObject } from "../json.ts";
import type { Log } from "../observability/log.ts";
import type { Clock, UpstreamFetch } from "../platform.ts";
import { accountUrl, chatgptHeaders, trimBase } from "./target.ts";

/** How long the first request of an account may wait for its route; later ones never wait. */
const FIRST_WAIT_MS = 1_500;
const GOOD_FOR_MS = 60 * 60_000;
const RETRY_AFTER_MS = 5 * 60_000;
const LOOKUP_TIMEOUT_MS = 15_000;
const OVERRIDES = new Set(["us", "us_cr"]);

/** Where an account's requests go. */
export interface Route {
  /** Codex base URL, without a trailing slash. */
  readonly baseUrl: string;
  /** Value of `x-openai-account-routing-override`; undefined for no constraint. */
  readonly override: string | undefined;
}

/** Workspace routing: `GET /wham/accounts/check`, asked lazily, kept an hour, a failure counts as no constraint. */
export interface Routing {
  /** The route as known now; a promise only for the first request of an account, and then for a moment. */
  route(credentials: Extract<Credentials, { mode: "chatgpt" }>): Route | Promise<Route>;
}

interface RoutingDeps {
  readonly config: Pick<ProxyConfig, "chatgptBaseUrl" | "identity">;
  readonly fetch: UpstreamFetch;
  readonly clock: Clock;
  readonly log: Log;
}

interface Entry {
  route: Route;
  staleAt: number;
  lookup: Promise<void> | undefined;
  /** Until then a request waits for the account's first answer. */
  readonly waitUntil: number;
}

export function createRouting(deps: RoutingDeps): Routing {
  const free: Route = { baseUrl: trimBase(deps.config.chatgptBaseUrl), override: undefined };
  const entries = new Map<string, Entry>();

  async function ask(credentials: Extract<Credentials, { mode: "chatgpt" }>, entry: Entry): Promise<void> {
    try {
      const response = await deps.fetch(accountUrl(deps.config.chatgptBaseUrl, "accounts/check"), {
        method: "GET",
        headers: { ...chatgptHeaders(credentials, deps.config.identity), accept: "application/json" },
        signal: AbortSignal.timeout(LOOKUP_TIMEOUT_MS),
      });
      if (response.status !== 200) {
        response.discard();
        throw new Error(`status ${response.status}`);
      }
      entry.route = readRoute(JSON.parse(await response.text(1024 * 1024)), credentials.accountId, free);
      entry.staleAt = deps.clock.now() + GOOD_FOR_MS;
    } catch (error) {
      entry.staleAt = deps.clock.now() + RETRY_AFTER_MS;
      deps.log.write("upstream", "debug", "routing_lookup_failed", { reason: (error as Error).message });
    } finally {
      entry.lookup = undefined;
    }
  }

  return {
    route(credentials) {
      const account = credentials.accountId;
      // Without an account id Codex asks nothing either.
      if (account === undefined) return free;
      let entry = entries.get(account);
      if (!entry) {
        entry = { route: free, staleAt: 0, lookup: undefined, waitUntil: deps.clock.now() + FIRST_WAIT_MS };
        entries.set(account, entry);
      }
      const known = entry;
      if (deps.clock.now() >= known.staleAt) known.lookup ??= ask(credentials, known);
      const wait = known.waitUntil - deps.clock.now();
      if (!known.lookup || known.staleAt > 0 || wait <= 0) return known.route;
      const timer = new AbortController();
      const late = deps.clock.sleep(wait, timer.signal).catch(() => {});
      return Promise.race([known.lookup, late]).then(() => {
        timer.abort();
        return known.route;
      });
    },
  };
}

/** The route that an `accounts/check` answer states for an account. */
function readRoute(body: unknown, accountId: string | undefined, free: Route): Route {
  const accounts = isObject(body) && Array.isArray(body.accounts) ? body.accounts : [];
  const account = accounts.find((each) => isObject(each) && each.id === accountId);
  if (!isObject(account)) return free;
  const override = account.account_routing_override;
  if (typeof override !== "string" || !OVERRIDES.has(override)) return free;
  return { baseUrl: routedBase(account.workspace_backend_origin, free.baseUrl), override };
}

/** A base URL that the user set is kept: only ChatGPT's own may be moved to the workspace's origin. */
function routedBase(origin: unknown, base: string): string {
  if (typeof origin !== "string" || new URL(base).host !== "chatgpt.com") return base;
  try {
    const url = new URL(origin);
    const plain = url.protocol === "https:" && url.pathname === "/" && url.username === "" && url.password === "";
    return plain && url.search === "" && url.hash === "" ? `${url.origin}/backend-api/codex` : base;
  } catch {
    return base;
  }
}
