import { newId } from "./answers.ts";
import type { Exchange } from "./context.ts";
import { toDeltas } from "./deltas.ts";
import { hasDirective, readDirectives } from "./directives.ts";
import { asArray, asString, isObject, type JsonObject } from "./json.ts";
import { invalid, missingParameter, unknownParameter } from "./refusal.ts";
import { edgeHeaders, sendJson } from "./reply.ts";
import { sampleOf } from "./schema-sample.ts";
import { writeFrames } from "./sse-writer.ts";

const FIELDS = new Set([
  "messages",
  "model",
  "audio",
  "frequency_penalty",
  "function_call",
  "functions",
  "logit_bias",
  "logprobs",
  "max_completion_tokens",
  "max_tokens",
  "metadata",
  "modalities",
  "n",
  "parallel_tool_calls",
  "prediction",
  "presence_penalty",
  "prompt_cache_key",
  "prompt_cache_retention",
  "reasoning_effort",
  "response_format",
  "safety_identifier",
  "seed",
  "service_tier",
  "stop",
  "store",
  "stream",
  "stream_options",
  "temperature",
  "tool_choice",
  "tools",
  "top_logprobs",
  "top_p",
  "user",
  "verbosity",
  "web_search_options",
]);
const ROLES = ["system", "developer", "user", "assistant", "tool", "function"];

/** POST /v1/chat/completions of api.openai.com. */
export async function answerChatCompletions(exchange: Exchange): Promise<void> {
  const { request, response, behaviour, state } = exchange;
  const body = judge(request.json);
  const head = {
    id: newId("chatcmpl").replace("_", "-"),
    created: Math.floor(state.now() / 1000),
    model: asString(body.model),
    service_tier: "default",
  };
  const message =
    behaviour.text === undefined
      ? reply(body)
      : { role: "assistant", content: behaviour.text, refusal: null, annotations: [] };
  const finish_reason = message.tool_calls === undefined ? "stop" : "tool_calls";
  const usage = usageOf(request.text, JSON.stringify(message));
  if (body.stream !== true) {
    const choices = [{ index: 0, message, logprobs: null, finish_reason }];
    return sendJson(response, 200, { ...head, object: "chat.completion", choices, usage, system_fingerprint: null });
  }
  const includeUsage = isObject(body.stream_options) && body.stream_options.include_usage === true;
  const chunks = chunksOf(message, finish_reason).map((choice) => ({
    ...head,
    object: "chat.completion.chunk",
    choices: [choice],
    ...(includeUsage ? { usage: null } : {}),
  }));
  const all = includeUsage ? [...chunks, { ...head, object: "chat.completion.chunk", choices: [], usage }] : chunks;
  const frames = [...all.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`), "data: [DONE]\n\n"];
  await writeFrames(
    response,
    behaviour.sse === undefined ? frames : [behaviour.sse],
    { ...edgeHeaders(), "content-type": "text/event-stream; charset=utf-8" },
    behaviour,
  );
}

function judge(json: unknown): JsonObject {
  if (!isObject(json)) throw invalid("We could not parse the JSON body of your request.", null, null);
  for (const field of Object.keys(json))
    if (!FIELDS.has(field)) throw invalid(`Unrecognized request argument supplied: ${field}`, null, null);
  if (typeof json.model !== "string") throw missingParameter("model");
  if (!Array.isArray(json.messages)) throw missingParameter("messages");
  if (json.messages.length === 0)
    throw invalid(
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      "messages",
      "empty_array",
    );
  for (const [index, message] of json.messages.entries()) {
    if (!isObject(message) || !ROLES.includes(asString(message.role)))
      throw invalid(`Invalid value for 'messages[${index}].role'.`, `messages[${index}].role`, "invalid_value");
    if ("cache_control" in message) throw unknownParameter(`messages[${index}].cache_control`);
  }
  return json;
}

function reply(body: JsonObject): JsonObject {
  const last = asArray(body.messages).filter(isObject).at(-1) ?? {};
  const text = contentText(last.content);
  const base = { role: "assistant", content: null, refusal: null, annotations: [] };
  if (last.role === "tool") return { ...base, content: `TOOL-RESULT: ${text}` };
  const functions = asArray(body.tools)
    .filter(isObject)
    .map((tool) => tool.function)
    .filter(isObject);
  const calls = (hasDirective(text) ? readDirectives(text).tools : []).flatMap(({ name, args }) => {
    const found = functions.find((entry) => entry.name === name);
    return found === undefined
      ? []
      : [
          {
            id: newId("call").slice(0, 29),
            type: "function",
            function: { name, arguments: JSON.stringify(args ?? sampleOf(found.parameters) ?? {}) },
          },
        ];
  });
  return calls.length > 0 ? { ...base, tool_calls: calls } : { ...base, content: `You said: ${text} 👋🌍 — done.` };
}

function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  return asArray(content)
    .map((part) => (isObject(part) ? asString(part.text) : ""))
    .join("");
}

function chunksOf(message: JsonObject, finish_reason: string): JsonObject[] {
  const choice = (delta: JsonObject, finish: string | null = null) => ({
    index: 0,
    delta,
    logprobs: null,
    finish_reason: finish,
  });
  const calls = asArray(message.tool_calls)
    .filter(isObject)
    .flatMap((call, index) => {
      const { name, arguments: text } = call.function as { name: string; arguments: string };
      const opening = { index, id: call.id, type: "function", function: { name, arguments: "" } };
      return [opening, ...toDeltas(text).map((part) => ({ index, function: { arguments: part } }))].map((tool_call) =>
        choice({ tool_calls: [tool_call] }),
      );
    });
  const texts = toDeltas(asString(message.content)).map((content) => choice({ content }));
  return [
    choice({ role: "assistant", content: message.content === null ? null : "", refusal: null }),
    ...texts,
    ...calls,
    choice({}, finish_reason),
  ];
}

function usageOf(prompt: string, completion: string): object {
  const prompt_tokens = Math.ceil(prompt.length / 4);
  const completion_tokens = Math.ceil(completion.length / 4);
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
