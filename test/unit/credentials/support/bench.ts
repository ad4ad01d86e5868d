import type { CredentialSession } from "../../../../src/credentials/credentials.ts";
import type { RenewApart } from "../../../../src/credentials/renew-apart.ts";
import { createCredentialSession } from "../../../../src/credentials/session.ts";
import type { Log } from "../../../../src/observability/log.ts";
import { mintIdToken, mintRefreshToken, mintToken } from "../../../upstream/tokens.ts";
import { type ManualClock, manualClock } from "./manual-clock.ts";
import { type MemoryFiles, memoryFiles } from "./memory-files.ts";
import { type TokenEndpoint, tokenEndpoint } from "./token-endpoint.ts";

export const ACCOUNT = "11111111-1111-4111-8111-111111111111";
export const AUTH_PATH = "/home/user/.codex/auth.json";

export interface LogLine {
  readonly severity: string;
  readonly event: string;
  readonly fields: Record<string, unknown>;
}

/** One user's auth.json, one token endpoint, and any number of processes at them. */
export interface Bench {
  readonly files: MemoryFiles;
  readonly clock: ManualClock;
  readonly oauth: TokenEndpoint;
  readonly log: LogLine[];
  readonly refreshes: boolean[];
  env: Record<string, string>;
  /** A session as of another process. */
  session(renewApart?: RenewApart): CredentialSession;
  /** Writes a ChatGPT login whose access token expires in so many seconds; gives its tokens. */
  signIn(expiresIn: number, options?: SignIn): { accessToken: string; refreshToken: string };
  /** auth.json, parsed. */
  auth(): { tokens: Record<string, string>; last_refresh: string } & Record<string, unknown>;
}

export interface SignIn {
  readonly account?: string;
  readonly fedramp?: boolean;
  readonly omitAccountId?: boolean;
  readonly extra?: Record<string, unknown>;
}

export function createBench(): Bench {
  const files = memoryFiles();
  const clock = manualClock();
  const oauth = tokenEndpoint(clock, ACCOUNT);
  const log: LogLine[] = [];
  const refreshes: boolean[] = [];
  const sink: Log = {
    write: (_category, severity, event, fields = {}) => void log.push({ severity, event, fields }),
    debugEnabled: true,
  };
  const bench: Bench = {
    files,
    clock,
    oauth,
    log,
    refreshes,
    env: {},
    session: (renewApart) =>
      createCredentialSession({
        config: CONFIG,
        fetch: oauth.fetch,
        files,
        clock,
        log: sink,
        metrics: { tokenRefreshed: (ok) => void refreshes.push(ok) },
        env: (name) => bench.env[name],
        renewApart,
      }),
    signIn(expiresIn, { account = ACCOUNT, fedramp = false, omitAccountId = false, extra = {} } = {}) {
      const now = clock.now();
      const accessToken = mintToken({ account, expiresIn, now });
      const refreshToken = mintRefreshToken(account);
      const tokens = {
        id_token: mintIdToken({ account, fedramp, now }),
        access_token: accessToken,
        refresh_token: refreshToken,
        ...(!omitAccountId && { account_id: account }),
        login_owner_id: "kept",
      };
      const last_refresh = new Date(now - 3_600_000).toISOString();
      files.put(
        AUTH_PATH,
        `${JSON.stringify({ auth_mode: "chatgpt", OPENAI_API_KEY: null, tokens, last_refresh, ...extra }, null, 2)}\n`,
      );
      return { accessToken, refreshToken };
    },
    auth: () => JSON.parse(files.get(AUTH_PATH) ?? "null"),
  };
  return bench;
}

const CONFIG = {
  codexHome: "/home/user/.codex",
  authIssuer: "https://auth.test",
  refreshTokenUrl: "https://auth.test/oauth/token",
  oauthClientId: "app_test",
  identity: {
    clientVersion: "0.169.0",
    originator: "codex_cli_rs",
    userAgent: "codex_cli_rs/0.169.0 (linux; x64) codex-api-proxy/1.0.0",
    residency: undefined,
  },
};

/** The error that a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const error: unknown = await promise.then(
    () => new Error("was not rejected"),
    (reason: unknown) => reason,
  );
  return error as Error & Record<string, unknown>;
}

/** Waits for a promise while time passes as needed. */
export async function during<T>(clock: ManualClock, ms: number, promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  await clock.advance(ms);
  return promise;
}
