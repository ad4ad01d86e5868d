import { ProxyError } from "../errors.ts";
import type { Services } from "../services.ts";
import { chatCompletionsRoute } from "./chat-completions.ts";
import { forwardOr, otherRoute } from "./forward.ts";
import { healthRoute, rootRoute } from "./health.ts";
import { imageEditsRoute, imageGenerationsRoute } from "./images.ts";
import { countTokensRoute, messagesRoute } from "./messages.ts";
import { metricsRoute, prometheusRoute } from "./metrics.ts";
import { modelRoute, modelsRoute } from "./models.ts";
import { quotaRoute } from "./quota.ts";
import { readyRoute } from "./ready.ts";
import {
  cancelResponseRoute,
  compactRoute,
  createResponseRoute,
  deleteResponseRoute,
  getResponseRoute,
  inputItemsRoute,
  inputTokensRoute,
} from "./responses.ts";
import type { Route } from "./route.ts";

export type { Route } from "./route.ts";

/** Every endpoint, in the order in which they are matched. */
export function createRoutes(services: Services): Route[] {
  const endpoints = [
    rootRoute(services),
    healthRoute(services),
    readyRoute(services),
    metricsRoute(services),
    prometheusRoute(services),
    quotaRoute(services),
    chatCompletionsRoute(services),
    createResponseRoute(services),
    compactRoute(services),
    inputTokensRoute(services),
    getResponseRoute(services),
    deleteResponseRoute(services),
    inputItemsRoute(services),
    cancelResponseRoute(services),
    messagesRoute(services),
    countTokensRoute(services),
    modelsRoute(services),
    modelRoute(services),
    imageGenerationsRoute(services),
    imageEditsRoute(services),
  ];
  return [...endpoints, ...otherMethodRoutes(services, endpoints), otherRoute(services)];
}

/** A known path with another method: OpenAI may have one where this server has none, else 405 with what there is. */
function otherMethodRoutes(services: Services, endpoints: readonly Route[]): Route[] {
  const methods = new Map<string, string[]>();
  for (const { path, method } of endpoints) methods.set(path, [...(methods.get(path) ?? []), method]);
  return [...methods].map(([path, known]) => {
    const refuse: Route["handle"] = async ({ request, url }) => {
      const allow = known.join(", ");
      throw new ProxyError("method_not_allowed", `${url.pathname} takes ${allow}, not ${request.method}`, {
        details: { allow },
      });
    };
    return { method: "ALL", path, handle: path.startsWith("/v1/") ? forwardOr(services, refuse) : refuse };
  });
}
