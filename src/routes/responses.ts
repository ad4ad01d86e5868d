import { jsonAnswer } from "../answer.ts";
import { compactDialect } from "../dialects/responses/compact.ts";
import { expandHistory, openHistory } from "../dialects/responses/history.ts";
import { responsesDialect } from "../dialects/responses/index.ts";
import { toListedItem } from "../dialects/responses/listed-item.ts";
import { readRequest } from "../dialects/responses/schema.ts";
import { ProxyError } from "../errors.ts";
import { readJsonBody } from "../http/read-body.ts";
import type { Answer } from "../platform.ts";
import { relay } from "../relay/index.ts";
import type { Services } from "../services.ts";
import { forwardOr } from "./forward.ts";
import { logMessages } from "./message-log.ts";
import type { Route, RouteRequest } from "./route.ts";

/** `POST /v1/responses` (https://platform.openai.com/docs/api-reference/responses/create). */
export function createResponseRoute(services: Services): Route {
  return {
    method: "POST",
    path: "/v1/responses",
    handle: forwardOr(services, async ({ request, exchange, config }) => {
      const sent = responsesDialect.readRequest(await readJsonBody(request, config.bodyLimit));
      const { body, remember } = openHistory(sent, services.responses, Math.floor(exchange.startedAt / 1000));
      const canonical = responsesDialect.toCanonical(body, exchange.header);
      const logged = logMessages(
        services.log,
        exchange,
        "responses",
        body.input,
        canonical.native ? undefined : remember,
      );
      return relay(services, { dialect: responsesDialect, body: sent, canonical, exchange, ...logged });
    }),
  };
}

/** `POST /v1/responses/compact`: the conversation so far in short, as an encrypted item. */
export function compactRoute(services: Services): Route {
  return {
    method: "POST",
    path: "/v1/responses/compact",
    handle: forwardOr(services, async ({ request, exchange, config }) => {
      const sent = readRequest(await readJsonBody(request, config.bodyLimit));
      const body = compactDialect.readRequest(expandHistory(sent, services.responses));
      return relay(services, {
        dialect: compactDialect,
        body,
        canonical: compactDialect.toCanonical(body, exchange.header),
        exchange,
      });
    }),
  };
}

/** `POST /v1/responses/input_tokens`: what a request would cost. */
export function inputTokensRoute(services: Services): Route {
  return {
    method: "POST",
    path: "/v1/responses/input_tokens",
    handle: forwardOr(services, async ({ request, exchange, config }) => {
      const sent = await readJsonBody(request, config.bodyLimit);
      const body = expandHistory(readRequest({ input: [], ...sent }), services.responses);
      const canonical = responsesDialect.toCanonical(body, exchange.header);
      return jsonAnswer({ object: "response.input_tokens", input_tokens: await services.tokens.count(canonical.body) });
    }),
  };
}

/** `GET /v1/responses/{id}` of the local store. */
export function getResponseRoute(services: Services): Route {
  return stored(services, "GET", "/v1/responses/:id", ({ url }, id) => {
    const response = services.responses.get(id);
    if (!response) throw notFound(id);
    if (url.searchParams.get("stream") === "true") {
      throw new ProxyError("invalid_request", "a finished response cannot be streamed again; leave out `stream`", {
        param: "stream",
      });
    }
    return jsonAnswer(response);
  });
}

/** `DELETE /v1/responses/{id}`. */
export function deleteResponseRoute(services: Services): Route {
  return stored(services, "DELETE", "/v1/responses/:id", (_request, id) => {
    if (!services.responses.delete(id)) throw notFound(id);
    return jsonAnswer({ id, object: "response", deleted: true });
  });
}

/** `GET /v1/responses/{id}/input_items`. */
export function inputItemsRoute(services: Services): Route {
  return stored(services, "GET", "/v1/responses/:id/input_items", ({ url }, id) => {
    const query = Object.fromEntries(
      ["limit", "order", "after", "before"].map((name) => [name, url.searchParams.get(name)]),
    );
    const list = services.responses.inputItems(id, query);
    if (!list) throw notFound(id);
    return jsonAnswer({ ...list, data: list.data.map(toListedItem) });
  });
}

/** `POST /v1/responses/{id}/cancel`: only background responses can be cancelled, and there are none here. */
export function cancelResponseRoute(services: Services): Route {
  return stored(services, "POST", "/v1/responses/:id/cancel", (_request, id) => {
    if (!services.responses.get(id)) throw notFound(id);
    throw new ProxyError(
      "invalid_request",
      "Cannot cancel a synchronous response: close the connection of a running request instead.",
      {
        param: "id",
      },
    );
  });
}

function stored(
  services: Services,
  method: Route["method"],
  path: string,
  answer: (request: RouteRequest, id: string) => Answer,
): Route {
  return { method, path, handle: forwardOr(services, async (request) => answer(request, request.param("id"))) };
}

function notFound(id: string): ProxyError {
  return new ProxyError("not_found", `Response with id '${id}' not found.`, {
    code: "response_not_found",
    param: "id",
  });
}
