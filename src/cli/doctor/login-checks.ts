import { parseAuthFile, type StoredLogin } from "../../credentials/auth-file.ts";
import { fallbackLogin, overridingLogin } from "../../credentials/environment.ts";
import { explainMissingLogin, readCredentialStore } from "../../credentials/keyring.ts";
import type { Platform } from "../../platform.ts";
import { duration } from "../quota-text.ts";
import { bad, type Check, good, reason } from "./check.ts";

const SIGN_IN = "codex-api-proxy login (or codex login)";
const FILE_STORE = 'set cli_auth_credentials_store = "file" in config.toml in CODEX_HOME and run codex login';
const MODES: Record<StoredLogin["mode"], string> = {
  api_key: "api_key, sent to the OpenAI platform",
  chatgpt: "chatgpt",
  personal_access_token: "personal access token",
};

type PartOfPlatform = Pick<Platform, "files" | "env" | "clock">;

/** Everything about the login that can be seen without a call: where it is, what it is, how long it holds. */
export async function loginChecks(platform: PartOfPlatform, codexHome: string): Promise<Check[]> {
  const { files, env, clock } = platform;
  const path = `${codexHome}/auth.json`;
  const store = await readCredentialStore(files, codexHome);
  const override = overridingLogin(env);
  if (override) {
    return [good("auth file", `not used: ${override.variable} is set`), ...aboutLogin(override.login, clock.now())];
  }
  let text: string | undefined;
  try {
    text = await files.readText(path);
  } catch (error) {
    return [
      bad("auth file", `${path} cannot be read: ${reason(error)}`, `give yourself permission: chmod 600 ${path}`),
    ];
  }
  if (text === undefined) {
    const fallback = fallbackLogin(env);
    if (fallback) {
      return [good("auth file", `none; ${fallback.variable} is used`), ...aboutLogin(fallback.login, clock.now())];
    }
    const kept = store === undefined || store === "file" ? SIGN_IN : FILE_STORE;
    return [bad("auth file", `${path} missing`, kept), keyringCheck(store, false)];
  }
  try {
    const login = parseAuthFile(text);
    return [
      good("auth file", path),
      ...aboutLogin(login, clock.now()),
      await modeCheck(platform, path),
      keyringCheck(store, true),
    ];
  } catch (error) {
    return [bad("auth file", `${path}: ${reason(error)}`, SIGN_IN), keyringCheck(store, true)];
  }
}

function aboutLogin(login: StoredLogin, now: number): Check[] {
  const mode = good("auth mode", MODES[login.mode]);
  if (login.mode !== "chatgpt") return [mode];
  return [mode, expiryCheck(login.expiresAt, login.refreshToken !== undefined, now), refreshCheck(login)];
}

function expiryCheck(expiresAt: number | undefined, refreshable: boolean, now: number): Check {
  const label = "token expiry";
  if (expiresAt === undefined) return good(label, "not told by the token");
  const seconds = expiresAt - now / 1000;
  if (seconds > 0) return good(label, `in ${duration(seconds)}`);
  const detail = `expired ${duration(-seconds)} ago`;
  return refreshable ? good(label, `${detail}; renewed with the next request`) : bad(label, detail, SIGN_IN);
}

function refreshCheck({ refreshToken, lastRefresh }: Extract<StoredLogin, { mode: "chatgpt" }>): Check {
  const label = "token refresh";
  if (refreshToken === undefined) return bad(label, "not possible: there is no refresh token", SIGN_IN);
  const last = lastRefresh === undefined ? "" : `, last on ${new Date(lastRefresh).toISOString().slice(0, 10)}`;
  return good(label, `possible${last}`);
}

async function modeCheck({ files }: PartOfPlatform, path: string): Promise<Check> {
  const mode = (await files.stat(path))?.mode ?? 0o600;
  const label = "auth file mode";
  const shown = mode.toString(8).padStart(4, "0");
  if ((mode & 0o077) === 0) return good(label, shown);
  return bad(label, `${shown}: others on this machine can read it`, `chmod 600 ${path}`);
}

function keyringCheck(store: Awaited<ReturnType<typeof readCredentialStore>>, hasFile: boolean): Check {
  const label = "keyring mode";
  if (store === undefined || store === "file") return good(label, "off, Codex keeps its login in auth.json");
  if (!hasFile) return bad(label, explainMissingLogin(store), FILE_STORE);
  return bad(label, `cli_auth_credentials_store = "${store}": Codex may remove auth.json`, FILE_STORE);
}
