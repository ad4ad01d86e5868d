import { createHash, randomBytes } from "node:crypto";
import type { Exchange, State } from "./context.ts";
import { asString, isObject, type JsonObject } from "./json.ts";
import { Refusal } from "./refusal.ts";
import { send, sendJson } from "./reply.ts";
import { CLIENT_ID, DEFAULT_ACCOUNT, DEFAULT_API_KEY, DEFAULT_EMAIL, readJwt, readRefreshToken } from "./tokens.ts";

const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const REFRESH_REASONS = ["proactive_expiry", "unauthorized_recovery"];
/** Redirects that the Codex client is registered for; the port of a loopback one is free. */
const REDIRECT = /^http:\/\/(127\.0\.0\.1|localhost):\d+\/auth\/callback$/;
const DEVICE_REDIRECT = /\/deviceauth\/callback$/;

/** POST /oauth/token: refresh (JSON), authorization code and API-key exchange (both form-encoded). */
export function answerToken({ request, response, state }: Exchange): void {
  const isForm = (request.headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded");
  const fields: JsonObject = isForm
    ? Object.fromEntries(new URLSearchParams(request.text))
    : isObject(request.json)
      ? request.json
      : {};
  if (fields.client_id !== CLIENT_ID) throw oauthError(400, "invalid_client", "Unknown client_id.");
  sendJson(response, 200, grant(fields, isForm, state));
}

function grant(fields: JsonObject, isForm: boolean, state: State): object {
  if (fields.grant_type === "refresh_token") {
    if (isForm) throw oauthError(400, "invalid_request", "A refresh is a JSON request.");
    return refresh(fields, state);
  }
  if (!isForm) throw oauthError(400, "invalid_request", "This grant is a form-encoded request.");
  if (fields.grant_type === "authorization_code") return exchangeCode(fields, state);
  if (fields.grant_type === TOKEN_EXCHANGE) return exchangeForKey(fields);
  throw oauthError(400, "unsupported_grant_type", `Unsupported grant_type: ${String(fields.grant_type)}`);
}

function refresh(fields: JsonObject, state: State): object {
  const { tokens } = state;
  if (!REFRESH_REASONS.includes(asString(fields.refresh_reason)))
    throw oauthError(400, "invalid_request", `refresh_reason must be one of ${REFRESH_REASONS.join(", ")}.`);
  const token = asString(fields.refresh_token);
  if (tokens.expiredRefresh.has(token)) throw refreshError("refresh_token_expired", "Your refresh token has expired.");
  if (tokens.invalidatedRefresh.has(token))
    throw refreshError("refresh_token_invalidated", "Your refresh token has been revoked.");
  if (tokens.spentRefresh.has(token)) {
    tokens.reused++;
    throw refreshError(
      "refresh_token_reused",
      "Your refresh token has already been used to generate a new access token. Please try signing in again.",
    );
  }
  const owner = readRefreshToken(token);
  if (owner === undefined) throw oauthError(400, "invalid_grant", "Unknown refresh token.");
  tokens.spentRefresh.add(token);
  tokens.refreshed++;
  const issued = Object.entries(tokens.issue(owner.account, owner.plan, state.now()));
  return Object.fromEntries(issued.filter(([name]) => !tokens.omitOnRefresh.has(name as "access_token")));
}

function exchangeCode(fields: JsonObject, state: State): object {
  const code = asString(fields.code);
  const grant = state.codes.get(code);
  if (grant === undefined) throw oauthError(400, "invalid_grant", "Unknown or used authorization code.");
  if (
    fields.redirect_uri !== grant.redirectUri &&
    !(grant.redirectUri === "" && DEVICE_REDIRECT.test(asString(fields.redirect_uri)))
  )
    throw oauthError(400, "invalid_grant", "redirect_uri does not match.");
  if (challengeOf(asString(fields.code_verifier)) !== grant.challenge)
    throw oauthError(400, "invalid_grant", "code_verifier does not match the challenge.");
  state.codes.delete(code);
  return state.tokens.issue(DEFAULT_ACCOUNT, "plus", state.now());
}

function exchangeForKey(fields: JsonObject): object {
  const whole =
    fields.requested_token === "openai-api-key" &&
    fields.subject_token_type === "urn:ietf:params:oauth:token-type:id_token";
  if (!whole || readJwt(asString(fields.subject_token)) === undefined)
    throw oauthError(400, "invalid_request", "Malformed token exchange.");
  return { access_token: DEFAULT_API_KEY };
}

/** GET /oauth/authorize: the user agrees at once; the browser goes back with code and state. */
export function answerAuthorize({ request, response, state }: Exchange): void {
  const { query } = request;
  const redirectUri = query.redirect_uri ?? "";
  const faults = [
    query.response_type !== "code" && "response_type",
    query.client_id !== CLIENT_ID && "client_id",
    !REDIRECT.test(redirectUri) && "redirect_uri",
    query.code_challenge_method !== "S256" && "code_challenge_method",
    !/^[\w-]{43}$/.test(query.code_challenge ?? "") && "code_challenge",
    (query.state ?? "").length < 16 && "state",
    !["openid", "profile", "email", "offline_access"].every((scope) =>
      (query.scope ?? "").split(" ").includes(scope),
    ) && "scope",
  ].filter((fault) => fault !== false);
  if (faults.length > 0) throw oauthError(400, "invalid_request", `Invalid parameters: ${faults.join(", ")}.`);
  const code = grantCode(state, query.code_challenge ?? "", redirectUri);
  const location = new URL(redirectUri);
  location.search = new URLSearchParams({ code, scope: query.scope ?? "", state: query.state ?? "" }).toString();
  send(response, 302, "", { location: location.toString() });
}

/** POST /api/accounts/deviceauth/usercode. */
export function answerUserCode({ request, response, state }: Exchange): void {
  if (!isObject(request.json) || request.json.client_id !== CLIENT_ID)
    throw oauthError(400, "invalid_client", "Unknown client_id.");
  const device_auth_id = `deviceauth_${randomBytes(6).toString("hex")}`;
  const user_code = `ABCD-${String(state.devices.size).padStart(5, "0")}`;
  state.devices.set(device_auth_id, { userCode: user_code, polls: 0 });
  sendJson(response, 200, {
    device_auth_id,
    user_code,
    usercode: user_code,
    interval: String(state.options.deviceIntervalSeconds ?? 1),
  });
}

/** POST /api/accounts/deviceauth/token: 403 while the user has not agreed yet. */
export function answerDeviceToken({ request, response, state }: Exchange): void {
  const fields = isObject(request.json) ? request.json : {};
  const device = state.devices.get(asString(fields.device_auth_id));
  if (device === undefined || device.userCode !== fields.user_code)
    throw oauthError(400, "invalid_request", "Unknown device_auth_id or user_code.");
  device.polls++;
  if (device.polls <= (state.options.devicePendingPolls ?? 1))
    throw oauthError(403, "deviceauth_authorization_unknown", "Device authorization is pending. Please try again.");
  const code_verifier = randomBytes(32).toString("base64url");
  const code_challenge = challengeOf(code_verifier);
  sendJson(response, 200, { authorization_code: grantCode(state, code_challenge, ""), code_challenge, code_verifier });
}

/** POST /oauth/revoke. */
export function answerRevoke({ request, response, state }: Exchange): void {
  const fields = isObject(request.json) ? request.json : {};
  if (fields.client_id !== CLIENT_ID || fields.token_type_hint !== "refresh_token" || typeof fields.token !== "string")
    throw oauthError(400, "invalid_request", "Malformed revocation.");
  state.tokens.invalidatedRefresh.add(fields.token);
  sendJson(response, 200, {});
}

/** GET /api/accounts/v1/user-auth-credential/whoami: metadata of a personal access token. */
export function answerWhoami({ request, response, state }: Exchange): void {
  const token = (request.headers.authorization ?? "").replace(/^Bearer /, "");
  if (!state.tokens.pats.has(token)) throw oauthError(401, "invalid_token", "Unknown personal access token.");
  sendJson(response, 200, {
    email: DEFAULT_EMAIL,
    chatgpt_user_id: "user-test",
    chatgpt_account_id: DEFAULT_ACCOUNT,
    chatgpt_plan_type: "plus",
    chatgpt_account_is_fedramp: false,
  });
}

function grantCode(state: State, challenge: string, redirectUri: string): string {
  const code = `ac_${randomBytes(16).toString("base64url")}`;
  state.codes.set(code, { challenge, redirectUri });
  return code;
}

function challengeOf(verifier: string): string {
  return createHash("sha256").update(verifier).digest("base64url");
}

function oauthError(status: number, code: string, message: string): Refusal {
  return new Refusal(status, { error: code, error_description: message }, message);
}

function refreshError(code: string, message: string): Refusal {
  return new Refusal(401, { error: { message, type: "invalid_request_error", param: null, code } }, message);
}
