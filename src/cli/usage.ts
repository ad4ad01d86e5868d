import type { ProxyConfig } from "../config/config.ts";
import type { CredentialSession } from "../credentials/credentials.ts";
import { createCredentialSession } from "../credentials/session.ts";
import { silentLog } from "../observability/log.ts";
import type { Platform, UpstreamFetch } from "../platform.ts";
import { accountUrl, chatgptHeaders } from "../upstream/target.ts";
import { readUsage, type ShownQuota } from "./quota-text.ts";

const TIMEOUT_MS = 15_000;

/** The login as a server of this configuration would use it, for a command that asks upstream itself. */
export function commandSession(platform: Platform, config: ProxyConfig, fetch: UpstreamFetch): CredentialSession {
  const { files, clock, env } = platform;
  return createCredentialSession({
    config,
    fetch,
    files,
    clock,
    env,
    log: silentLog,
    metrics: { tokenRefreshed() {} },
  });
}

/**
 * The plan's windows by an explicit call, `GET /wham/usage`; undefined with an API key, which has none.
 * @throws ProxyError without a login, Error with upstream's status.
 */
export async function askUsage(platform: Platform, config: ProxyConfig): Promise<ShownQuota | undefined> {
  const fetch = platform.createFetch(config.network);
  const session = commandSession(platform, config, fetch);
  let credentials = await session.current();
  for (let attempt = 0; ; attempt++) {
    if (credentials.mode === "api_key") return undefined;
    const response = await fetch(accountUrl(config.chatgptBaseUrl, "usage"), {
      method: "GET",
      headers: { ...chatgptHeaders(credentials, config.identity), accept: "application/json" },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status === 200) return readUsage(JSON.parse(await response.text(1024 * 1024)));
    response.discard();
    if (response.status !== 401 || attempt > 0) throw new Error(`upstream answered ${response.status}`);
    credentials = await session.recover(credentials);
  }
}
