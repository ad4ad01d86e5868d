import { decodeJwt } from "jose/jwt/decode";
import { isObject, type JsonObject } from "../json.ts";

/** What the tokens of a login say about it. Signatures are not checked: whoever can write auth.json is the user. */
export interface Claims {
  /** Epoch seconds. */
  readonly expiresAt: number | undefined;
  readonly accountId: string | undefined;
  readonly email: string | undefined;
  /** `free`, `plus`, `pro`, `team`, … */
  readonly plan: string | undefined;
  /** Undefined when the token does not say. */
  readonly fedramp: boolean | undefined;
}

const AUTH = "https://api.openai.com/auth";
const PROFILE = "https://api.openai.com/profile";

/** Claims of an access or id token; undefined when the text is not a JWT. */
export function readClaims(token: string | undefined): Claims | undefined {
  const payload = token === undefined ? undefined : decode(token);
  if (payload === undefined) return undefined;
  const auth = isObject(payload[AUTH]) ? payload[AUTH] : {};
  const profile = isObject(payload[PROFILE]) ? payload[PROFILE] : {};
  const fedramp = auth.chatgpt_account_is_fedramp;
  return {
    expiresAt: typeof payload.exp === "number" && Number.isFinite(payload.exp) ? payload.exp : undefined,
    accountId: text(auth.chatgpt_account_id),
    email: text(payload.email) ?? text(profile.email),
    plan: text(auth.chatgpt_plan_type),
    fedramp: typeof fedramp === "boolean" ? fedramp : undefined,
  };
}

function decode(token: string): JsonObject | undefined {
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
