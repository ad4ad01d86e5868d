import type { ProxyConfig } from "../config/config.ts";
import { ProxyError } from "../errors.ts";
import type { Log } from "../observability/log.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { Clock, FileStore, UpstreamFetch } from "../platform.ts";
import type { StoredLogin } from "./auth-file.ts";
import { createAuthStore } from "./auth-store.ts";
import type { CredentialSession, Credentials } from "./credentials.ts";
import { type EnvironmentLogin, fallbackLogin, overridingLogin } from "./environment.ts";
import { isExpired } from "./freshness.ts";
import { explainMissingLogin, readCredentialStore } from "./keyring.ts";
import { createPatOwners, refusedPat } from "./pat.ts";
import type { RenewApart } from "./renew-apart.ts";
import { createRenewal } from "./renewal.ts";

export interface CredentialSessionDeps {
  readonly config: Pick<ProxyConfig, "codexHome" | "authIssuer" | "refreshTokenUrl" | "oauthClientId" | "identity">;
  readonly fetch: UpstreamFetch;
  readonly files: FileStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "tokenRefreshed">;
  /** Environment variables that carry credentials, as Codex reads them. */
  readonly env: (name: string) => string | undefined;
  /** Refreshes in a process that outlives this one; undefined: in this one. */
  readonly renewApart?: RenewApart | undefined;
}

/** The login in use: environment, else auth.json as Codex and this program share it. */
export function createCredentialSession(deps: CredentialSessionDeps): CredentialSession {
  const { config, files, clock, log, env } = deps;
  const store = createAuthStore({ files, clock, log }, `${config.codexHome}/auth.json`);
  const renewal = createRenewal({ ...deps, store });
  const ownerOf = createPatOwners(deps);
  let lastAccount: string | undefined;

  async function current(): Promise<Credentials> {
    const override = overridingLogin(env);
    if (override !== undefined) return sign(refuseExpired(override));
    return signStored(await renewal.ensureFresh(await readLogin()));
  }

  async function readLogin(force = false): Promise<StoredLogin> {
    const login = (await store.read({ force })) ?? fallbackLogin(env)?.login;
    if (login !== undefined) return login;
    throw new ProxyError("credentials", explainMissingLogin(await readCredentialStore(files, config.codexHome)));
  }

  function refuseExpired({ variable, login }: EnvironmentLogin): StoredLogin {
    if (login.mode !== "chatgpt" || !isExpired(login, clock.now())) return login;
    throw new ProxyError("login_expired", `${variable} has expired: set a current token and start again`);
  }

  async function signStored(login: StoredLogin): Promise<Credentials> {
    const credentials = await sign(login);
    const account = accountOf(credentials);
    if (lastAccount !== undefined && account !== lastAccount) {
      log.write("credentials", "warning", "login_changed", { message: "auth.json holds another account's login now" });
    }
    lastAccount = account;
    return credentials;
  }

  async function sign(login: StoredLogin): Promise<Credentials> {
    if (login.mode === "api_key") return login;
    if (login.mode === "chatgpt") {
      const { mode, accessToken, refreshToken, accountId, fedramp, expiresAt } = login;
      return { mode, accessToken, refreshToken, accountId, fedramp, expiresAt };
    }
    const { accountId, fedramp } = await ownerOf(login.token);
    return {
      mode: "chatgpt",
      accessToken: login.token,
      refreshToken: undefined,
      accountId,
      fedramp,
      expiresAt: undefined,
    };
  }

  async function recover(refused: Credentials): Promise<Credentials> {
    const override = overridingLogin(env);
    if (override !== undefined) throw refusedOverride(override);
    const login = await readLogin(true);
    if (secretOf(login) !== secretOfCredentials(refused)) {
      refuseOtherAccount(login, refused);
      return signStored(await renewal.ensureFresh(login));
    }
    if (login.mode === "api_key") throw refusedKey("the API key");
    if (login.mode === "personal_access_token") throw refusedPat();
    const renewed = await renewal.replaceRefused(login);
    refuseOtherAccount(renewed, refused);
    return signStored(renewed);
  }

  return { current, recover, settled: () => renewal.settled(), authPath: store.path };
}

/** A request begun for one account is not finished on another; the next request uses the new login. */
function refuseOtherAccount(login: StoredLogin, refused: Credentials): void {
  const before = refused.mode === "chatgpt" ? refused.accountId : undefined;
  if (login.mode === "personal_access_token" || before === undefined) return;
  const after = login.mode === "chatgpt" ? login.accountId : undefined;
  if (after === before) return;
  throw new ProxyError(
    "login_expired",
    "auth.json was changed to another account's login during this request: send it again",
    {
      code: "account_changed",
    },
  );
}

function refusedOverride({ variable, login }: EnvironmentLogin): ProxyError {
  if (login.mode === "api_key") return refusedKey(variable);
  return new ProxyError(
    "login_expired",
    `upstream refused the token in ${variable}: set a current one and start again`,
  );
}

function refusedKey(name: string): ProxyError {
  return new ProxyError("login_expired", `upstream refused ${name}: check it at https://platform.openai.com/api-keys`, {
    code: "invalid_api_key",
  });
}

function secretOf(login: StoredLogin): string {
  if (login.mode === "api_key") return login.apiKey;
  return login.mode === "chatgpt" ? login.accessToken : login.token;
}

function secretOfCredentials(credentials: Credentials): string {
  return credentials.mode === "api_key" ? credentials.apiKey : credentials.accessToken;
}

function accountOf(credentials: Credentials): string {
  return credentials.mode === "api_key" ? "api_key" : (credentials.accountId ?? "unknown");
}
