import { ProxyError } from "../errors.ts";
import { isObject, type JsonObject } from "../json.ts";
import { readClaims } from "./claims.ts";
import { editJson, type JsonEdit } from "./json-edit.ts";

/** What auth.json says about the login, in the form that Codex would use it. */
export type StoredLogin =
  | { readonly mode: "api_key"; readonly apiKey: string }
  | { readonly mode: "personal_access_token"; readonly token: string }
  | {
      readonly mode: "chatgpt";
      readonly accessToken: string;
      readonly refreshToken: string | undefined;
      readonly idToken: string | undefined;
      /** `tokens.account_id`, else the account that the tokens name. */
      readonly accountId: string | undefined;
      readonly email: string | undefined;
      readonly plan: string | undefined;
      readonly fedramp: boolean;
      /** Epoch seconds of the access token's `exp`; undefined when it cannot be read. */
      readonly expiresAt: number | undefined;
      /** Epoch milliseconds. */
      readonly lastRefresh: number | undefined;
    };

export type ChatgptLogin = Extract<StoredLogin, { mode: "chatgpt" }>;

/** Tokens as `/oauth/token` issues them; each may be absent from a refresh answer. */
export interface IssuedTokens {
  readonly idToken?: string;
  readonly accessToken?: string;
  readonly refreshToken?: string;
}

const SIGN_IN = "sign in with `codex login` or `codex-api-proxy login`";

/**
 * Reads auth.json. An explicit `auth_mode` wins where what it needs is there; otherwise the order is Codex's: personal
 * access token, API key, ChatGPT tokens.
 * @throws ProxyError `credentials` when the text is not JSON or holds no login that can be used here.
 */
export function parseAuthFile(text: string): StoredLogin {
  const file = parseObject(text);
  const tokens = isObject(file.tokens) ? file.tokens : {};
  const found = {
    personal_access_token: readPat(file),
    api_key: readApiKey(file),
    chatgpt: readTokens(tokens, file.last_refresh),
  };
  const mode = typeof file.auth_mode === "string" ? file.auth_mode : undefined;
  const login = explicit(mode, found) ?? found.personal_access_token ?? found.api_key ?? found.chatgpt;
  if (login !== undefined) return login;
  const named = mode !== undefined && /^[\w-]{1,40}$/.test(mode) ? ` (auth_mode "${mode}")` : "";
  throw new ProxyError("credentials", `auth.json holds no login that can be used here${named}: ${SIGN_IN}`);
}

type Found = {
  readonly personal_access_token: StoredLogin | undefined;
  readonly api_key: StoredLogin | undefined;
  readonly chatgpt: StoredLogin | undefined;
};

function explicit(mode: string | undefined, found: Found): StoredLogin | undefined {
  switch (mode?.toLowerCase().replaceAll(/[-_]/g, "")) {
    case "apikey":
      return found.api_key;
    case "chatgpt":
    case "chatgptauthtokens":
      return found.chatgpt;
    case "personalaccesstoken":
      return found.personal_access_token;
    default:
      return undefined;
  }
}

function parseObject(text: string): JsonObject {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    // The parser's own message quotes the text, which holds tokens.
    throw new ProxyError("credentials", `auth.json is not valid JSON: ${SIGN_IN}`);
  }
  if (isObject(parsed)) return parsed;
  throw new ProxyError("credentials", `auth.json is not a JSON object: ${SIGN_IN}`);
}

function readPat(file: JsonObject): StoredLogin | undefined {
  const token = filled(file.personal_access_token);
  return token === undefined ? undefined : { mode: "personal_access_token", token };
}

function readApiKey(file: JsonObject): StoredLogin | undefined {
  const apiKey = filled(file.OPENAI_API_KEY);
  return apiKey === undefined ? undefined : { mode: "api_key", apiKey };
}

function readTokens(tokens: JsonObject, lastRefresh: unknown): ChatgptLogin | undefined {
  const accessToken = filled(tokens.access_token);
  if (accessToken === undefined) return undefined;
  return chatgptLogin({
    accessToken,
    refreshToken: filled(tokens.refresh_token),
    idToken: filled(tokens.id_token),
    accountId: filled(tokens.account_id),
    lastRefresh: readTime(lastRefresh),
  });
}

/** A ChatGPT login from its tokens, completed by what they claim. */
export function chatgptLogin(
  parts: Pick<ChatgptLogin, "accessToken" | "refreshToken" | "idToken" | "accountId" | "lastRefresh">,
): ChatgptLogin {
  const access = readClaims(parts.accessToken);
  const id = readClaims(parts.idToken);
  return {
    mode: "chatgpt",
    ...parts,
    accountId: parts.accountId ?? id?.accountId ?? access?.accountId,
    email: id?.email ?? access?.email,
    plan: id?.plan ?? access?.plan,
    fedramp: id?.fedramp ?? access?.fedramp ?? false,
    expiresAt: access?.expiresAt,
  };
}

/**
 * Text of auth.json after a refresh: only the tokens that were issued and `last_refresh` change. The account stays the
 * one of the login, also where the file left it to the tokens and the new ones name another.
 */
export function withTokens(text: string, login: ChatgptLogin, issued: IssuedTokens, now: number): string {
  const edits: JsonEdit[] = [];
  if (issued.idToken !== undefined) edits.push({ path: ["tokens", "id_token"], value: issued.idToken });
  if (issued.accessToken !== undefined) edits.push({ path: ["tokens", "access_token"], value: issued.accessToken });
  if (issued.refreshToken !== undefined) edits.push({ path: ["tokens", "refresh_token"], value: issued.refreshToken });
  edits.push({ path: ["last_refresh"], value: new Date(now).toISOString() });
  const edited = editJson(text, edits);
  const after = parseAuthFile(edited);
  if (login.accountId === undefined || after.mode !== "chatgpt" || after.accountId === login.accountId) return edited;
  return editJson(edited, [{ path: ["tokens", "account_id"], value: login.accountId }]);
}

function readTime(value: unknown): number | undefined {
  const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

/** A value that can stand in a header; undefined for any other. */
function filled(value: unknown): string | undefined {
  const text = typeof value === "string" ? value.trim() : "";
  return /^[\x21-\x7e]+$/.test(text) ? text : undefined;
}
