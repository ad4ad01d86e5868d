import { chatDialect } from "../dialects/chat/index.ts";
import { readJsonBody } from "../http/read-body.ts";
import { relay } from "../relay/index.ts";
import type { Services } from "../services.ts";
import { forwardOr } from "./forward.ts";
import { logMessages } from "./message-log.ts";
import type { Route } from "./route.ts";

/** `POST /v1/chat/completions` (https://platform.openai.com/docs/api-reference/chat/create). */
export function chatCompletionsRoute(services: Services): Route {
  return {
    method: "POST",
    path: "/v1/chat/completions",
    handle: forwardOr(services, async ({ request, exchange, config }) => {
      const body = chatDialect.readRequest(await readJsonBody(request, config.bodyLimit));
      const canonical = chatDialect.toCanonical(body, exchange.header);
      // The dialect has no field for reasoning, so what the model thought before its calls is put back from memory.
      canonical.body.input = services.reasoning.restore(canonical.body.input);
      return relay(services, {
        dialect: chatDialect,
        body,
        canonical,
        exchange,
        ...logMessages(services.log, exchange, "chat", body.messages, (answer) =>
          services.reasoning.remember(answer.output),
        ),
      });
    }),
  };
}
