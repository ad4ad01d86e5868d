import type { ClientIdentity } from "../config/config.ts";
import type { Credentials } from "../credentials/credentials.ts";
import type { HeaderReader } from "../dialects/dialect.ts";

type ChatgptCredentials = Extract<Credentials, { mode: "chatgpt" }>;

export const LITE_HEADER = "x-openai-internal-codex-responses-lite";

/** Headers of a Codex client that go upstream with its own body; credentials and identity stay the proxy's. */
const NATIVE_HEADERS = [
  "session-id",
  "thread-id",
  "session_id",
  "conversation_id",
  "x-client-request-id",
  "x-codex-window-id",
  "x-codex-turn-metadata",
  "x-codex-turn-state",
  "x-codex-beta-features",
  "x-codex-parent-thread-id",
  "x-codex-routing-hint",
  "x-codex-installation-id",
  "x-openai-subagent",
  LITE_HEADER,
];

/** Headers of every call to the ChatGPT backend: who calls, and with which program. */
export function chatgptHeaders(credentials: ChatgptCredentials, identity: ClientIdentity): Record<string, string> {
  const headers: Record<string, string> = {
    authorization: `Bearer ${credentials.accessToken}`,
    originator: identity.originator,
    "user-agent": identity.userAgent,
    version: identity.clientVersion,
  };
  if (credentials.accountId !== undefined) headers["chatgpt-account-id"] = credentials.accountId;
  if (credentials.fedramp) headers["x-openai-fedramp"] = "true";
  if (identity.residency !== undefined) headers["x-openai-internal-codex-residency"] = identity.residency;
  return headers;
}

/** Headers of every call to api.openai.com. */
export function platformHeaders(apiKey: string, identity: ClientIdentity): Record<string, string> {
  return { authorization: `Bearer ${apiKey}`, "user-agent": identity.userAgent };
}

/** The Codex headers that a Codex client sent, to be sent on. */
export function nativeHeaders(header: HeaderReader): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of NATIVE_HEADERS) {
    const value = header(name);
    if (value !== undefined && value !== "") headers[name] = value;
  }
  return headers;
}

/** Headers by which the backend keeps a conversation on one machine; Codex sends its thread id in all three. */
export function affinityHeaders(thread: string): Record<string, string> {
  return { "session-id": thread, "thread-id": thread, "x-client-request-id": thread };
}

/** A base URL without its trailing slashes. */
export function trimBase(base: string): string {
  return base.replace(/\/+$/, "");
}

/**
 * URL of an account call (`accounts/check`, `usage`) for a Codex base URL: below `/backend-api` these live in `/wham`,
 * elsewhere in `/api/codex`.
 */
export function accountUrl(chatgptBaseUrl: string, path: string): string {
  const base = trimBase(chatgptBaseUrl);
  const at = base.indexOf("/backend-api");
  if (at >= 0) return `${base.slice(0, at)}/backend-api/wham/${path}`;
  return `${new URL(base).origin}/api/codex/${path}`;
}
