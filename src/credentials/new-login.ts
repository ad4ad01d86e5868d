import type { ProxyConfig } from "../config/config.ts";
import type { FileStore } from "../platform.ts";
import type { IssuedTokens } from "./auth-file.ts";
import { readClaims } from "./claims.ts";
import { randomText } from "./random-text.ts";

/** auth.json of a new ChatGPT login, as Codex writes it. `now` in epoch milliseconds. */
export function chatgptAuthFile(
  issued: Required<IssuedTokens>,
  config: Pick<ProxyConfig, "authIssuer" | "oauthClientId">,
  now: number,
): string {
  const accountId = readClaims(issued.idToken)?.accountId ?? readClaims(issued.accessToken)?.accountId ?? null;
  return print({
    auth_mode: "chatgpt",
    OPENAI_API_KEY: null,
    tokens: {
      id_token: issued.idToken,
      access_token: issued.accessToken,
      refresh_token: issued.refreshToken,
      oauth_provenance: { issuer: config.authIssuer, client_id: config.oauthClientId },
      login_owner_id: randomText(32),
      account_id: accountId,
    },
    last_refresh: new Date(now).toISOString(),
  });
}

/** auth.json of an API key, as `codex login --with-api-key` writes it. */
export function apiKeyAuthFile(apiKey: string): string {
  return print({ auth_mode: "apikey", OPENAI_API_KEY: apiKey });
}

/** Writes a new auth.json in place of any other; waits for a refresh that is under way. */
export async function saveLogin(files: FileStore, codexHome: string, text: string): Promise<void> {
  const path = `${codexHome}/auth.json`;
  await files.makeDir(codexHome, 0o700);
  await files.withLock(path, () => files.writeTextAtomic(path, text, 0o600));
}

const print = (file: object): string => JSON.stringify(file, null, 2);
