import { findModel, type Model } from "./catalogue.ts";
import type { Exchange } from "./context.ts";
import { asArray, isObject, type JsonObject } from "./json.ts";
import { invalid, invalidType, invalidValue, missingParameter, unknownParameter } from "./refusal.ts";
import { sendJson } from "./reply.ts";
import { toResponseObject } from "./response-object.ts";
import { checkItems } from "./rules-items.ts";
import { type Accepted, flatten } from "./rules-seat.ts";
import {
  checkBoolean,
  checkCacheKey,
  checkInclude,
  checkReasoningControls,
  checkStringMap,
  checkTextControls,
} from "./rules-shared.ts";
import { checkToolChoice, checkTools } from "./rules-tools.ts";
import { itemsFor, streamAnswer } from "./seat.ts";
import type { Caller } from "./tokens.ts";

const FIELDS = new Set([
  "background",
  "client_metadata",
  "context_management",
  "conversation",
  "include",
  "input",
  "instructions",
  "max_output_tokens",
  "max_tool_calls",
  "metadata",
  "model",
  "moderation",
  "parallel_tool_calls",
  "previous_response_id",
  "prompt",
  "prompt_cache_key",
  "prompt_cache_retention",
  "reasoning",
  "safety_identifier",
  "service_tier",
  "store",
  "stream",
  "stream_options",
  "temperature",
  "text",
  "tool_choice",
  "tools",
  "top_logprobs",
  "top_p",
  "truncation",
  "user",
]);
const TIERS = ["auto", "default", "flex", "priority"];
const INCLUDES = [
  "reasoning.encrypted_content",
  "web_search_call.action.sources",
  "web_search_call.results",
  "message.output_text.logprobs",
  "message.input_image.image_url",
  "file_search_call.results",
  "code_interpreter_call.outputs",
  "computer_call_output.output.image_url",
];

/** POST /v1/responses: takes what the seat rejects, whole or streamed. */
export async function answerPlatformResponses(exchange: Exchange, caller: Caller): Promise<void> {
  const { request, response, state } = exchange;
  const accepted = judgePlatform(exchange, caller);
  const { body } = accepted;
  if (body.stream === true) {
    const object = await streamAnswer(exchange, accepted, { "openai-version": "2020-10-01" });
    return keep(exchange, accepted, object);
  }
  const items = itemsFor(accepted, exchange);
  const usage = state.usage.measure(accepted, items);
  const now = state.now();
  const object = {
    ...toResponseObject(accepted, now),
    status: "completed",
    completed_at: Math.floor(now / 1000),
    output: items,
    usage,
  };
  keep(exchange, accepted, object);
  sendJson(response, 200, object, { "openai-version": "2020-10-01", "x-request-path": request.path });
}

/** GET, DELETE /v1/responses/{id} and GET /v1/responses/{id}/input_items. */
export function answerStoredResponse({ request, response, state }: Exchange): void {
  const [, , , id = "", rest] = request.path.split("/");
  const entry = state.stored.get(id);
  if (entry === undefined) throw invalid(`Response with id '${id}' not found.`, "response_id", null, 404);
  if (request.method === "DELETE") state.stored.delete(id);
  sendJson(response, 200, view(request.method, rest, id, entry));
}

function view(
  method: string,
  rest: string | undefined,
  id: string,
  entry: { response: object; input: readonly unknown[] },
): object {
  if (method === "DELETE") return { id, object: "response", deleted: true };
  return rest === "input_items" ? { object: "list", data: entry.input, has_more: false } : entry.response;
}

function judgePlatform({ request, state }: Exchange, caller: Caller): Accepted {
  if (!isObject(request.json)) throw invalid("We could not parse the JSON body of your request.", null, null);
  const body = request.json;
  for (const field of Object.keys(body)) if (!FIELDS.has(field)) throw unknownParameter(field);
  if (typeof body.model !== "string") throw missingParameter("model");
  const model = platformModel(body.model);
  if (body.service_tier !== undefined && body.service_tier !== null && !TIERS.includes(String(body.service_tier)))
    throw invalidValue("service_tier", body.service_tier, TIERS);
  if (typeof body.max_output_tokens === "number" && body.max_output_tokens < 16)
    throw invalid(
      "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16.",
      "max_output_tokens",
      "integer_below_min_value",
    );
  checkInclude(body.include, INCLUDES);
  checkCacheKey(body.prompt_cache_key);
  checkStringMap(body.metadata, "metadata");
  checkBoolean(body.stream, "stream");
  checkReasoningControls(body.reasoning, model);
  checkTextControls(body.text, body);
  if (body.tools !== undefined) checkTools(body.tools, "tools", { lite: false, platform: true });
  const tools = flatten(asArray(body.tools).filter(isObject));
  checkToolChoice(body.tool_choice, tools, false);
  const input = [...history(body, state.stored), ...readInput(body.input)];
  const namespaces = new Set(
    asArray(body.tools)
      .filter(isObject)
      .map((tool) => String(tool.name)),
  );
  checkItems(input, {
    lite: false,
    platform: true,
    native: false,
    binding: caller.binding,
    model: model.slug,
    knownIds: state.knownIds,
    namespaces,
  });
  return { body, input: input.filter(isObject), model, lite: false, platform: true, tools, binding: caller.binding };
}

/** The platform offers dated names too; they behave as gpt-5.5 does. */
function platformModel(slug: string): Model {
  const model = findModel(slug) ?? (slug.startsWith("gpt-") ? findModel("gpt-5.5") : undefined);
  if (model === undefined)
    throw invalid(`The model '${slug}' does not exist or you do not have access to it.`, null, "model_not_found", 404);
  return { ...model, slug };
}

function readInput(input: unknown): unknown[] {
  if (input === undefined) throw missingParameter("input");
  if (typeof input === "string") return [{ role: "user", content: input }];
  if (!Array.isArray(input)) throw invalidType("input", "one of an array of objects or string", input);
  return input;
}

function history(body: JsonObject, stored: Exchange["state"]["stored"]): unknown[] {
  const id = body.previous_response_id;
  if (id === undefined || id === null) return [];
  const entry = stored.get(String(id));
  if (entry === undefined)
    throw invalid(
      `Previous response with id '${String(id)}' not found.`,
      "previous_response_id",
      "previous_response_not_found",
      400,
    );
  const output = asArray((entry.response as JsonObject).output);
  return [...entry.input, ...output];
}

function keep({ state }: Exchange, accepted: Accepted, object: JsonObject): void {
  if (accepted.body.store === false) return;
  state.stored.set(String(object.id), { response: object, input: accepted.input });
}
