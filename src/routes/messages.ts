import { jsonAnswer } from "../answer.ts";
import { messagesDialect } from "../dialects/messages/index.ts";
import { readJsonBody } from "../http/read-body.ts";
import { relay } from "../relay/index.ts";
import type { Services } from "../services.ts";
import { logMessages } from "./message-log.ts";
import type { Route } from "./route.ts";

/** `POST /v1/messages` (https://docs.anthropic.com/en/api/messages), message threads included. */
export function messagesRoute(services: Services): Route {
  return {
    method: "POST",
    path: "/v1/messages",
    async handle({ request, exchange, config }) {
      const sent = await readJsonBody(request, config.bodyLimit);
      const thread = services.threads.open(sent);
      const body = messagesDialect.readRequest(thread.body);
      const canonical = messagesDialect.toCanonical(body, exchange.header);
      // A client that did not ask for thinking gets none to send back: what the model thought is kept here instead.
      canonical.body.input = services.reasoning.restore(canonical.body.input);
      return relay(services, {
        dialect: messagesDialect,
        body,
        canonical,
        exchange,
        ...logMessages(services.log, exchange, "messages", body.messages, (answer, id) => {
          services.reasoning.remember(answer.output);
          thread.remember?.(answer, id);
        }),
      });
    },
  };
}

/** `POST /v1/messages/count_tokens`: what will really be sent, corrected by what the model's answers said it cost. */
export function countTokensRoute(services: Services): Route {
  return {
    method: "POST",
    path: "/v1/messages/count_tokens",
    async handle({ request, exchange, config }) {
      const sent = await readJsonBody(request, config.bodyLimit);
      const body = messagesDialect.readRequest({ max_tokens: 1, ...sent });
      const canonical = messagesDialect.toCanonical(body, exchange.header);
      exchange.facts.model = canonical.body.model;
      return jsonAnswer({ input_tokens: await services.tokens.count(canonical.body) });
    },
  };
}
