import type { ProxyConfig } from "../config/config.ts";
import { ProxyError } from "../errors.ts";
import type { Clock, FileStore, UpstreamFetch } from "../platform.ts";
import { parseAuthFile, type StoredLogin } from "./auth-file.ts";
import { type EnvironmentLogin, fallbackLogin, overridingLogin } from "./environment.ts";
import { explainMissingLogin, readCredentialStore } from "./keyring.ts";
import { fetchPatOwner } from "./pat.ts";

/** A login in words: everything that may be shown, and no token. */
export interface LoginDescription {
  readonly mode: StoredLogin["mode"];
  /** The file or the environment variable that it comes from. */
  readonly source: "auth.json" | EnvironmentLogin["variable"];
  readonly email: string | undefined;
  readonly plan: string | undefined;
  readonly accountId: string | undefined;
  readonly fedramp: boolean;
  /** Epoch seconds of the access token's `exp`; undefined when there is none or it cannot be read. */
  readonly expiresAt: number | undefined;
  /** Epoch milliseconds. */
  readonly lastRefresh: number | undefined;
  /** True when this program renews it by itself. */
  readonly refreshable: boolean;
}

export interface DescribeDeps {
  readonly config: Pick<ProxyConfig, "codexHome" | "authIssuer" | "identity">;
  readonly files: FileStore;
  readonly fetch: UpstreamFetch;
  readonly clock: Clock;
  readonly env: (name: string) => string | undefined;
}

/**
 * Describes the login that requests would use, without refreshing it. Calls upstream for a personal access token only.
 * @throws ProxyError `credentials` when there is none, `login_expired` for a refused personal access token.
 */
export async function describeLogin(deps: DescribeDeps): Promise<LoginDescription> {
  const { login, variable } = overridingLogin(deps.env) ?? (await storedLogin(deps));
  const source = variable ?? "auth.json";
  if (login.mode === "chatgpt") {
    const { mode, email, plan, accountId, fedramp, expiresAt, lastRefresh } = login;
    return {
      mode,
      source,
      email,
      plan,
      accountId,
      fedramp,
      expiresAt,
      lastRefresh,
      refreshable: login.refreshToken !== undefined,
    };
  }
  const never = { expiresAt: undefined, lastRefresh: undefined, refreshable: false };
  if (login.mode === "personal_access_token") {
    return { mode: login.mode, source, ...(await ownerOf(deps, login.token)), ...never };
  }
  return {
    mode: login.mode,
    source,
    email: undefined,
    plan: undefined,
    accountId: undefined,
    fedramp: false,
    ...never,
  };
}

/** What to do where there is no login at all; undefined where there is one, good or not. Never asks upstream. */
export async function explainNoLogin({
  config,
  files,
  env,
}: Pick<DescribeDeps, "files" | "env"> & { readonly config: Pick<ProxyConfig, "codexHome"> }): Promise<
  string | undefined
> {
  const given = overridingLogin(env) ?? fallbackLogin(env) ?? (await files.stat(`${config.codexHome}/auth.json`));
  return given ? undefined : explainMissingLogin(await readCredentialStore(files, config.codexHome));
}

async function storedLogin(
  deps: DescribeDeps,
): Promise<{ login: StoredLogin; variable?: EnvironmentLogin["variable"] }> {
  const { codexHome } = deps.config;
  const text = await deps.files.readText(`${codexHome}/auth.json`);
  if (text !== undefined) return { login: parseAuthFile(text) };
  const fallback = fallbackLogin(deps.env);
  if (fallback !== undefined) return fallback;
  throw new ProxyError("credentials", explainMissingLogin(await readCredentialStore(deps.files, codexHome)));
}

async function ownerOf(deps: DescribeDeps, token: string) {
  try {
    return await fetchPatOwner(deps, token);
  } catch (error) {
    if (error instanceof ProxyError) throw error;
    throw new ProxyError(
      "credentials",
      `${new URL(deps.config.authIssuer).host} could not be asked whose token it is; try again`,
    );
  }
}
