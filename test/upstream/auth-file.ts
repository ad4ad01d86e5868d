import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "./json.ts";
import {
  DEFAULT_ACCOUNT,
  DEFAULT_API_KEY,
  DEFAULT_PAT,
  type MintOptions,
  mintIdToken,
  mintRefreshToken,
  mintToken,
} from "./tokens.ts";

export interface AuthFileOverrides extends MintOptions {
  /** Replace or add fields of `tokens`; `undefined` removes one. */
  readonly tokens?: JsonObject;
  /** Replace or add top-level fields; `undefined` removes one. */
  readonly fields?: JsonObject;
}

/** What was written, for a test to compare with. */
export interface WrittenAuth {
  readonly path: string;
  readonly content: JsonObject;
  /** The bearer that requests will carry. */
  readonly bearer: string;
  readonly refreshToken: string | undefined;
}

/** Writes `<dir>/auth.json` (0600) as the Codex CLI does after a login of this kind. */
export function writeAuthFile(
  dir: string,
  kind: "chatgpt" | "apikey" | "pat",
  overrides: AuthFileOverrides = {},
): WrittenAuth {
  const tokens = kind === "chatgpt" ? { ...mintTokens(overrides), ...overrides.tokens } : undefined;
  const content: JsonObject = { ...topLevel(kind, tokens), ...overrides.fields };
  const path = join(dir, "auth.json");
  mkdirSync(dir, { recursive: true });
  writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
  const bearer = {
    chatgpt: String(tokens?.access_token),
    apikey: String(content.OPENAI_API_KEY),
    pat: String(content.personal_access_token),
  }[kind];
  return { path, content, bearer, refreshToken: tokens?.refresh_token as string | undefined };
}

function mintTokens(options: MintOptions): JsonObject {
  return {
    id_token: mintIdToken(options),
    access_token: mintToken(options),
    refresh_token: mintRefreshToken(options.account, options.plan),
    account_id: options.account ?? DEFAULT_ACCOUNT,
  };
}

function topLevel(kind: "chatgpt" | "apikey" | "pat", tokens: JsonObject | undefined): JsonObject {
  if (kind === "apikey") return { auth_mode: "apikey", OPENAI_API_KEY: DEFAULT_API_KEY };
  if (kind === "pat") return { OPENAI_API_KEY: null, personal_access_token: DEFAULT_PAT };
  return { auth_mode: "chatgpt", OPENAI_API_KEY: null, tokens, last_refresh: new Date().toISOString() };
}
