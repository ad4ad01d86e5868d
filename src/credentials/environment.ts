import { chatgptLogin, type StoredLogin } from "./auth-file.ts";
import { readClaims } from "./claims.ts";

type Env = (name: string) => string | undefined;

/** A login from the environment, and the variable it came from. */
export interface EnvironmentLogin {
  readonly variable: "CODEX_API_KEY" | "CODEX_ACCESS_TOKEN" | "OPENAI_API_KEY";
  readonly login: StoredLogin;
}

/** What beats auth.json: `CODEX_API_KEY`, then `CODEX_ACCESS_TOKEN` (a JWT or a personal access token; never refreshed). */
export function overridingLogin(env: Env): EnvironmentLogin | undefined {
  const apiKey = filled(env("CODEX_API_KEY"));
  if (apiKey !== undefined) return { variable: "CODEX_API_KEY", login: { mode: "api_key", apiKey } };
  const token = filled(env("CODEX_ACCESS_TOKEN"));
  return token === undefined ? undefined : { variable: "CODEX_ACCESS_TOKEN", login: accessTokenLogin(token) };
}

/** What is used where there is no auth.json: `OPENAI_API_KEY`. */
export function fallbackLogin(env: Env): EnvironmentLogin | undefined {
  const apiKey = filled(env("OPENAI_API_KEY"));
  return apiKey === undefined ? undefined : { variable: "OPENAI_API_KEY", login: { mode: "api_key", apiKey } };
}

function accessTokenLogin(token: string): StoredLogin {
  if (readClaims(token) === undefined) return { mode: "personal_access_token", token };
  return chatgptLogin({
    accessToken: token,
    refreshToken: undefined,
    idToken: undefined,
    accountId: undefined,
    lastRefresh: undefined,
  });
}

function filled(value: string | undefined): string | undefined {
  const trimmed = value?.trim();
  return trimmed === "" ? undefined : trimmed;
}
