import { createHmac, randomBytes } from "node:crypto";
import { asString, isObject, type JsonObject } from "./json.ts";
import { detail, Refusal } from "./refusal.ts";

/** OAuth client id of the Codex CLI. */
export const CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann";
/** Account that tokens are minted for unless told otherwise. */
export const DEFAULT_ACCOUNT = "00000000-0000-4000-8000-000000000001";
/** API key and personal access token that the double knows. */
export const DEFAULT_API_KEY = "sk-test-0000000000000000000000000000000000000001";
export const DEFAULT_PAT = "at-test-00000000000000000000000000000001";
export const DEFAULT_EMAIL = "user@example.com";

// Tokens verify by signature alone, so one minted in a test is good at a double in another process.
const SIGNING_KEY = "upstream-double";
const AUTH_CLAIM = "https://api.openai.com/auth";

export interface MintOptions {
  /** Seconds from now; negative for a token that has expired. Default ten days. */
  readonly expiresIn?: number;
  readonly account?: string;
  readonly plan?: string;
  readonly email?: string;
  readonly fedramp?: boolean;
  /** Epoch milliseconds. */
  readonly now?: number;
  /** Extra or replacing claims; `undefined` removes one, e.g. `{ exp: undefined }`. */
  readonly claims?: JsonObject;
}

/** An access token: a JWT that every double accepts until it expires or is revoked there. */
export function mintToken(options: MintOptions = {}): string {
  const now = Math.floor((options.now ?? Date.now()) / 1000);
  return signJwt({
    iss: "https://auth.openai.com",
    aud: ["https://api.openai.com/v1"],
    client_id: CLIENT_ID,
    iat: now,
    exp: now + (options.expiresIn ?? 864_000),
    jti: randomBytes(6).toString("hex"),
    scp: ["openid", "profile", "email", "offline_access"],
    [AUTH_CLAIM]: authClaim(options),
    "https://api.openai.com/profile": { email: options.email ?? DEFAULT_EMAIL, email_verified: true },
    ...options.claims,
  });
}

/** An id token: who the user is; no backend accepts it as a bearer. */
export function mintIdToken(options: MintOptions = {}): string {
  const now = Math.floor((options.now ?? Date.now()) / 1000);
  return signJwt({
    iss: "https://auth.openai.com",
    aud: [CLIENT_ID],
    iat: now,
    exp: now + (options.expiresIn ?? 3600),
    email: options.email ?? DEFAULT_EMAIL,
    email_verified: true,
    [AUTH_CLAIM]: {
      ...authClaim(options),
      user_id: "user-test",
      chatgpt_account_is_fedramp: options.fedramp ?? false,
    },
    ...options.claims,
  });
}

/** A refresh token. Single use: a double remembers those it has exchanged. */
export function mintRefreshToken(account = DEFAULT_ACCOUNT, plan = "plus"): string {
  const payload = Buffer.from(JSON.stringify({ account, plan, n: randomBytes(6).toString("hex") })).toString(
    "base64url",
  );
  return `rt_${payload}.${sign(payload)}`;
}

/** What a refresh token stands for; undefined for one that no double minted. */
export function readRefreshToken(token: string): { account: string; plan: string } | undefined {
  const [payload, signature] = token.replace(/^rt_/, "").split(".");
  if (!token.startsWith("rt_") || payload === undefined || signature !== sign(payload)) return undefined;
  return JSON.parse(Buffer.from(payload, "base64url").toString()) as { account: string; plan: string };
}

/** Claims of a JWT that a double minted; undefined for any other string. */
export function readJwt(token: string): JsonObject | undefined {
  const [header, payload, signature] = token.split(".");
  if (header === undefined || payload === undefined || signature !== sign(`${header}.${payload}`)) return undefined;
  const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString());
  return isObject(claims) ? claims : undefined;
}

/** Who calls. `binding` is what encrypted content is tied to. */
export interface Caller {
  readonly kind: "chatgpt" | "pat" | "apikey";
  readonly account: string;
  readonly plan: string;
  readonly binding: string;
}

/** The double's memory of credentials. Tests read the counters and change the sets. */
export class Tokens {
  readonly apiKeys = new Set([DEFAULT_API_KEY]);
  readonly pats = new Set([DEFAULT_PAT]);
  /** Access tokens that answer 401 `token_revoked`. */
  readonly revoked = new Set<string>();
  /** Access tokens that answer 401 `token_invalidated`. */
  readonly invalidated = new Set<string>();
  /** Refresh tokens already exchanged: once more answers 401 `refresh_token_reused`. */
  readonly spentRefresh = new Set<string>();
  /** Refresh tokens that answer 401 `refresh_token_expired` / `refresh_token_invalidated`. */
  readonly expiredRefresh = new Set<string>();
  readonly invalidatedRefresh = new Set<string>();
  /** Fields left out of a refresh answer; all are optional on the wire. */
  readonly omitOnRefresh = new Set<"access_token" | "id_token" | "refresh_token">();
  /** Tokens issued by this double, oldest first. */
  readonly issuedAccess: string[] = [];
  readonly issuedRefresh: string[] = [];
  /** Refresh calls that succeeded, and that spent a token twice. */
  refreshed = 0;
  reused = 0;
  /** Lifetime of issued access tokens, in seconds. */
  accessSeconds = 864_000;

  /** Mints one set of tokens as /oauth/token does. */
  issue(account: string, plan: string, now: number): { access_token: string; id_token: string; refresh_token: string } {
    const access_token = mintToken({ account, plan, now, expiresIn: this.accessSeconds });
    const refresh_token = mintRefreshToken(account, plan);
    this.issuedAccess.push(access_token);
    this.issuedRefresh.push(refresh_token);
    return { access_token, id_token: mintIdToken({ account, plan, now }), refresh_token };
  }

  /** Bearer of a ChatGPT endpoint, checked as the backend does: before the body. Throws {@link Refusal} 401. */
  seatCaller(authorization: string | undefined, now: number): Caller {
    const token = bearer(authorization);
    if (token === undefined) throw detail("Unauthorized", 401);
    if (this.pats.has(token)) return { kind: "pat", account: DEFAULT_ACCOUNT, plan: "plus", binding: DEFAULT_ACCOUNT };
    if (this.revoked.has(token))
      throw tokenError("token_revoked", "Your authentication token has been revoked. Please try signing in again.");
    if (this.invalidated.has(token))
      throw tokenError(
        "token_invalidated",
        "Your authentication token has been invalidated. Please try signing in again.",
      );
    const claims = readJwt(token);
    if (claims === undefined || !asArray(claims.aud).includes("https://api.openai.com/v1"))
      throw tokenError("token_invalidated", "Could not parse your authentication token. Please try signing in again.");
    if (typeof claims.exp === "number" && claims.exp * 1000 <= now)
      throw tokenError("token_expired", "Provided authentication token is expired. Please try signing in again.");
    const auth = isObject(claims[AUTH_CLAIM]) ? claims[AUTH_CLAIM] : {};
    const account = asString(auth.chatgpt_account_id);
    return { kind: "chatgpt", account, plan: asString(auth.chatgpt_plan_type), binding: account };
  }

  /** Back to the start: the default key and personal token, nothing revoked or spent. */
  reset(): void {
    const sets = [
      this.revoked,
      this.invalidated,
      this.spentRefresh,
      this.expiredRefresh,
      this.invalidatedRefresh,
      this.omitOnRefresh,
      this.apiKeys,
      this.pats,
    ];
    for (const set of sets) set.clear();
    this.apiKeys.add(DEFAULT_API_KEY);
    this.pats.add(DEFAULT_PAT);
    this.issuedAccess.length = 0;
    this.issuedRefresh.length = 0;
    this.refreshed = 0;
    this.reused = 0;
    this.accessSeconds = 864_000;
  }

  /** Bearer of api.openai.com. Throws {@link Refusal} 401. */
  platformCaller(authorization: string | undefined): Caller {
    const token = bearer(authorization);
    if (token === undefined)
      throw platformAuth(
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
        null,
      );
    if (!this.apiKeys.has(token))
      throw platformAuth(
        `Incorrect API key provided: ${token.slice(0, 6)}***. You can find your API key at https://platform.openai.com/account/api-keys.`,
        "invalid_api_key",
      );
    return { kind: "apikey", account: "platform", plan: "api", binding: `key:${token}` };
  }
}

function authClaim(options: MintOptions): JsonObject {
  return {
    chatgpt_account_id: options.account ?? DEFAULT_ACCOUNT,
    chatgpt_plan_type: options.plan ?? "plus",
    chatgpt_user_id: "user-test",
  };
}

function signJwt(claims: JsonObject): string {
  const header = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString("base64url");
  const payload = Buffer.from(JSON.stringify(claims)).toString("base64url");
  return `${header}.${payload}.${sign(`${header}.${payload}`)}`;
}

function sign(text: string): string {
  return createHmac("sha256", SIGNING_KEY).update(text).digest("base64url");
}

function bearer(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : /^Bearer (\S+)$/.exec(authorization)?.[1];
}

function tokenError(code: string, message: string): Refusal {
  const error = { message, type: "invalid_request_error", code, param: null };
  return new Refusal(401, { error, status: 401 }, message);
}

function platformAuth(message: string, code: string | null): Refusal {
  const error = { message, type: "invalid_request_error", param: null, code };
  return new Refusal(401, { error }, message, { "www-authenticate": 'Bearer realm="OpenAI API"' });
}

function asArray(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value];
}
