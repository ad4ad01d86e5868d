import { ProxyError } from "../errors.ts";
import type { Answer } from "../platform.ts";
import type { Services } from "../services.ts";
import type { Route, RouteRequest } from "./route.ts";

/** In API-key mode hands the request on untouched; otherwise `translate` serves it. */
export function forwardOr(services: Services, translate: (request: RouteRequest) => Promise<Answer>): Route["handle"] {
  return async (request) => {
    const credentials = await services.session.current();
    request.exchange.credentials = credentials;
    return credentials.mode === "api_key" ? forward(services, request) : translate(request);
  };
}

/** OpenAI's own answer, bytes untouched. */
async function forward(services: Services, { request, url, exchange, config }: RouteRequest): Promise<Answer> {
  if (Number(request.headers.get("content-length") ?? 0) > config.bodyLimit) {
    throw new ProxyError("too_large", "request body is too large; raise --body-limit if that is intended");
  }
  exchange.facts.upstreamMode = "api_key";
  return services.upstream.forward({
    method: request.method,
    path: url.pathname.replace(/^\/v1(?=\/|$)/, "") + url.search,
    headers: request.headers,
    body: request.body,
    signal: exchange.signal,
  });
}

/** Every other path of OpenAI's API: forwarded with an API key, refused in words with a ChatGPT login. */
export function otherRoute(services: Services): Route {
  return {
    method: "ALL",
    path: "/v1/*",
    handle: forwardOr(services, async ({ request, url }) => {
      if (PLATFORM_ONLY.test(url.pathname)) {
        throw new ProxyError(
          "unsupported",
          `${url.pathname} needs an OpenAI API key: a ChatGPT login has no such endpoint`,
          {
            code: "unsupported_with_chatgpt_login",
          },
        );
      }
      throw new ProxyError("not_found", `no such endpoint: ${request.method} ${url.pathname}`, { code: "unknown_url" });
    }),
  };
}

/** Parts of OpenAI's API that exist but that a ChatGPT login cannot reach. */
const PLATFORM_ONLY =
  /^(\/v1)?\/(completions|embeddings|audio|files|uploads|batches|fine_tuning|assistants|threads|vector_stores|moderations|images|videos|evals|realtime|containers|conversations)(\/|$)/;
