import type { CanonicalResponse } from "../../canonical/response.ts";
import { ProxyError } from "../../errors.ts";
import type { JsonObject } from "../../json.ts";
import type { AnswerContext, Dialect } from "../dialect.ts";
import { responsesDialect } from "./index.ts";
import { toListedItem } from "./listed-item.ts";
import { type ResponsesClientBody, readRequest } from "./schema.ts";
import { completeUsage, makeItemId } from "./vocabulary.ts";

/** Asks for the conversation's encrypted summary instead of an answer. */
const TRIGGER = { type: "compaction_trigger" };

/**
 * A body of `POST /v1/responses/compact` (https://platform.openai.com/docs/api-reference/responses/compact) as an
 * ordinary request that ends in a compaction trigger: upstream compacts in no other way.
 */
function toCompactRequest(body: ResponsesClientBody): ResponsesClientBody {
  const input = typeof body.input === "string" ? [{ type: "message", role: "user", content: body.input }] : body.input;
  return { ...body, input: [...input, TRIGGER], stream: false, store: false };
}

/**
 * The compacted window: what people said, word for word, then the compaction item that stands for all the rest.
 * @throws ProxyError `upstream_protocol` when upstream answered without one.
 */
function fromCompactResponse(
  response: CanonicalResponse,
  body: ResponsesClientBody,
  context: Pick<AnswerContext, "id" | "createdAt">,
): JsonObject {
  const compaction = response.output.filter((item) => item.type === "compaction");
  if (compaction.length === 0) {
    throw new ProxyError(
      "upstream_protocol",
      "upstream answered without a compacted conversation; send the request again",
    );
  }
  const output = [...keptMessages(body), ...(compaction as JsonObject[])];
  return {
    id: `resp_${context.id}`,
    object: "response.compaction",
    created_at: response.created_at ?? context.createdAt,
    output: output.map((item, index) =>
      toListedItem(item.id ? item : { ...item, id: makeItemId(String(item.type), context.id, index) }),
    ),
    usage: completeUsage(response.usage),
  };
}

/** `responsesDialect` for the compact endpoint. */
export const compactDialect: Dialect<ResponsesClientBody> = {
  ...responsesDialect,
  readRequest: (json) => toCompactRequest(readRequest(json)),
  fromCanonical: ([response], body, context) => fromCompactResponse(response as CanonicalResponse, body, context),
};

function keptMessages(body: ResponsesClientBody): JsonObject[] {
  if (typeof body.input === "string") return [];
  return body.input
    .filter((item) => (item.type ?? "message") === "message" && item.role !== "assistant")
    .map(({ type: _type, content, ...item }) => ({
      ...item,
      type: "message",
      status: "completed",
      content: typeof content === "string" ? [{ type: "input_text", text: content }] : content,
    }));
}
