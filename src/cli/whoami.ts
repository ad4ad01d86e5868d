import type { ProxyConfig } from "../config/config.ts";
import { describeLogin, type LoginDescription } from "../credentials/describe.ts";
import type { Platform } from "../platform.ts";

export interface WhoamiOptions {
  readonly json?: boolean;
}

const MODES: Record<LoginDescription["mode"], string> = {
  chatgpt: "ChatGPT login",
  api_key: "OpenAI API key",
  personal_access_token: "personal access token",
};

/** `whoami`: account, plan and expiry of the login in use; never a token. @throws ProxyError when there is none. */
export async function runWhoami(platform: Platform, config: ProxyConfig, options: WhoamiOptions = {}): Promise<void> {
  const login = await describeLogin({
    config,
    files: platform.files,
    fetch: platform.createFetch(config.network),
    clock: platform.clock,
    env: (name) => platform.env(name),
  });
  const now = platform.clock.now();
  platform.write(
    "stdout",
    options.json === true ? `${JSON.stringify(toJson(login, now), null, 2)}\n` : toText(login, now),
  );
}

function toJson(login: LoginDescription, now: number): Record<string, unknown> {
  const { expiresAt, lastRefresh } = login;
  return {
    mode: login.mode,
    source: login.source,
    email: login.email ?? null,
    plan: login.plan ?? null,
    account_id: login.accountId ?? null,
    fedramp: login.fedramp,
    expires_at: expiresAt === undefined ? null : new Date(expiresAt * 1000).toISOString(),
    expires_in_seconds: expiresAt === undefined ? null : Math.round(expiresAt - now / 1000),
    last_refresh: lastRefresh === undefined ? null : new Date(lastRefresh).toISOString(),
    refreshable: login.refreshable,
  };
}

function toText(login: LoginDescription, now: number): string {
  const rows: [string, string | undefined][] = [
    ["account", login.email],
    ["plan", login.plan],
    ["account id", login.accountId],
    ["mode", login.fedramp ? `${MODES[login.mode]}, FedRAMP` : MODES[login.mode]],
    ["source", login.source],
    ["access token", expiry(login, now)],
  ];
  return rows
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${`${name}:`.padEnd(14)}${value}\n`)
    .join("");
}

function expiry({ expiresAt, refreshable }: LoginDescription, now: number): string | undefined {
  if (expiresAt === undefined) return undefined;
  const seconds = expiresAt - now / 1000;
  const at = new Date(expiresAt * 1000).toISOString().slice(0, 16).replace("T", " ");
  const when = seconds > 0 ? `expires in ${duration(seconds)}` : `expired ${duration(-seconds)} ago`;
  return `${when} (${at} UTC); ${refreshable ? "renewed automatically" : "cannot be renewed: sign in again when it has expired"}`;
}

/** A length of time for people: its largest unit, and the next one where that tells something. */
function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days >= 2) return `${days} days`;
  if (hours >= 2) return `${hours} hours`;
  return minutes >= 2 ? `${minutes} minutes` : `${Math.floor(seconds)} seconds`;
}
