import type { ProxyConfig } from "../config/config.ts";
import type { CredentialSession } from "../credentials/credentials.ts";
import { ProxyError } from "../errors.ts";
import { isObject } from "../json.ts";
import type { Answer, CancelSignal, HeaderBag, UpstreamFetch } from "../platform.ts";
import { handOn } from "../stream/hand-on.ts";
import { forwardedHeaders } from "./answer-headers.ts";
import { failureOfBody, failureOfConnection } from "./failure.ts";
import { platformHeaders, trimBase } from "./target.ts";

/** Client headers that go upstream: what describes the body and the wish, never who the client is. */
const PASSED = [
  "accept",
  "accept-language",
  "content-type",
  "content-encoding",
  "idempotency-key",
  "openai-beta",
  "range",
  "x-client-request-id",
];
const BODYLESS = new Set(["GET", "HEAD"]);
const NO_CONTENT = new Set([204, 205, 304]);
/** An error's text beyond this, or later than this, is cut. */
const ERROR_BYTES = 256 * 1024;
const ERROR_MS = 3_000;

export interface ForwardRequest {
  readonly method: string;
  /** Path below /v1 with its query: `/embeddings?x=1`. */
  readonly path: string;
  readonly headers: HeaderBag;
  readonly body: string | Uint8Array | ReadableStream<Uint8Array> | null;
  readonly signal: CancelSignal;
}

interface ForwardDeps {
  readonly config: Pick<ProxyConfig, "openaiBaseUrl" | "identity">;
  readonly fetch: UpstreamFetch;
  readonly session: CredentialSession;
}

/** Hands a request on to api.openai.com and its answer back, bytes untouched; nothing is repeated. */
export function createForward(deps: ForwardDeps): (request: ForwardRequest) => Promise<Answer> {
  return async ({ method, path, headers: given, body, signal }) => {
    const credentials = await deps.session.current();
    if (credentials.mode !== "api_key") {
      throw new ProxyError(
        "unsupported",
        `${path.replace(/\?.*/s, "")} needs an OpenAI API key: a ChatGPT login has no such endpoint`,
      );
    }
    const headers: Record<string, string> = {};
    for (const name of PASSED) {
      const value = given.get(name);
      if (value !== null) headers[name] = value;
    }
    Object.assign(headers, platformHeaders(credentials.apiKey, deps.config.identity));
    const url = `${trimBase(deps.config.openaiBaseUrl)}${path.startsWith("/") ? "" : "/"}${path}`;
    const sent = body === null || BODYLESS.has(method) ? {} : { body };
    try {
      const response = await deps.fetch(url, { method, headers, signal, ...sent });
      const safe = forwardedHeaders(response.headers);
      const isFailure = response.status >= 400;
      // A page in a 200 is a captive portal's or a gateway's, unless the client fetches a file.
      if (/\bhtml\b/i.test(response.headers.get("content-type") ?? "") && (isFailure || method === "POST")) {
        // An edge's page says nothing to a program, and may set what must not reach the client.
        throw failureOfBody(response.status, response.headers, await response.text(1024, ERROR_MS), { now: 0 });
      }
      if (response.status >= 300 && response.status < 400 && response.status !== 304) {
        response.discard();
        throw new ProxyError("upstream_status", "upstream answered with a redirect, which is not followed");
      }
      if (method === "HEAD" || NO_CONTENT.has(response.status)) {
        response.discard();
        return { status: response.status, headers: safe, body: null };
      }
      if (isFailure && isText(response.headers)) {
        // OpenAI masks a key that it refuses; a gateway in between may not.
        const text = await response.text(ERROR_BYTES, ERROR_MS);
        const masked = text.replaceAll(credentials.apiKey, "<redacted>");
        // Nothing, or a gateway's few words: no client can read that as an error.
        if (!isJsonObject(masked)) throw failureOfBody(response.status, response.headers, masked, { now: 0 });
        return { status: response.status, headers: safe, body: masked };
      }
      return { status: response.status, headers: safe, body: handOn(response) };
    } catch (cause) {
      throw failureOfConnection(cause, signal);
    }
  };
}

const isText = (headers: HeaderBag): boolean =>
  /^(text|application\/json)\b/i.test(headers.get("content-type") ?? "text/plain");

function isJsonObject(text: string): boolean {
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}
