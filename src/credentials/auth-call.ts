import type { ProxyConfig } from "../config/config.ts";
import { ProxyError } from "../errors.ts";
import { isObject } from "../json.ts";
import type { Clock, HeaderBag, UpstreamFetch } from "../platform.ts";
import { DeadlineError, withDeadline } from "./deadline.ts";
import { failureOfNetwork } from "./refresh-failure.ts";

/** What calls to the OAuth issuer need. */
export interface AuthCallDeps {
  readonly fetch: UpstreamFetch;
  readonly clock: Clock;
  readonly config: Pick<ProxyConfig, "authIssuer" | "revokeTokenUrl" | "oauthClientId" | "identity">;
}

export interface AuthAnswer {
  readonly status: number;
  readonly headers: HeaderBag;
  readonly text: string;
}

const CALL_MS = 20_000;
const ANSWER_LIMIT = 256 * 1024;

/** POSTs JSON, or a form where `fields` are URLSearchParams. @throws ProxyError `credentials` when there is no answer. */
export async function postAuth(
  { fetch, clock }: Pick<AuthCallDeps, "fetch" | "clock">,
  url: string,
  fields: URLSearchParams | Record<string, string>,
  headers: Record<string, string> = {},
): Promise<AuthAnswer> {
  const isForm = fields instanceof URLSearchParams;
  try {
    return await withDeadline(clock, CALL_MS, async (signal) => {
      const type = isForm ? "application/x-www-form-urlencoded" : "application/json";
      const body = isForm ? fields.toString() : JSON.stringify(fields);
      const request = { method: "POST", headers: { "content-type": type, accept: "*/*", ...headers }, body, signal };
      const response = await fetch(url, request);
      return { status: response.status, headers: response.headers, text: await response.text(ANSWER_LIMIT) };
    });
  } catch (cause) {
    const { code, message } = failureOfNetwork(cause, cause instanceof DeadlineError, new URL(url).host);
    throw new ProxyError("credentials", `sign-in failed: ${message}`, { code });
  }
}

/** The JSON object in an answer, `{}` when there is none. */
export function answerFields({ text }: AuthAnswer): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(text);
    return isObject(body) ? body : {};
  } catch {
    return {};
  }
}
