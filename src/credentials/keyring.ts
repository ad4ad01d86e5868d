import { parse } from "smol-toml";
import type { FileStore } from "../platform.ts";

/** Where Codex keeps its login, `cli_auth_credentials_store` in config.toml. */
export type CredentialStore = "file" | "keyring" | "auto" | "ephemeral";

const STORES: readonly string[] = ["file", "keyring", "auto", "ephemeral"];

/** Codex's setting; undefined when it is not set or the file cannot be read. */
export async function readCredentialStore(files: FileStore, codexHome: string): Promise<CredentialStore | undefined> {
  try {
    const text = await files.readText(`${codexHome}/config.toml`);
    const value = text === undefined ? undefined : parse(text).cli_auth_credentials_store;
    return typeof value === "string" && STORES.includes(value) ? (value as CredentialStore) : undefined;
  } catch {
    return undefined;
  }
}

const CURE = 'set cli_auth_credentials_store = "file" in config.toml there and run `codex login`';

/** Says why there is no auth.json and what to do; without a path, since clients read it. */
export function explainMissingLogin(store: CredentialStore | undefined): string {
  switch (store) {
    case "keyring":
      return `no auth.json in CODEX_HOME: Codex keeps its login in the OS keyring (cli_auth_credentials_store = "keyring"); ${CURE}`;
    case "auto":
      return `no auth.json in CODEX_HOME: Codex may keep its login in the OS keyring (cli_auth_credentials_store = "auto"); ${CURE}`;
    case "ephemeral":
      return `no auth.json in CODEX_HOME: Codex keeps its login in memory only (cli_auth_credentials_store = "ephemeral"); ${CURE}`;
    default:
      return "no auth.json in CODEX_HOME: sign in with `codex login` or `codex-api-proxy login`, or set CODEX_API_KEY or OPENAI_API_KEY";
  }
}
