import type { CanonicalRequest, ResponsesBody } from "../../canonical/request.ts";
import { isObject, type JsonObject } from "../../json.ts";
import type { HeaderReader } from "../dialect.ts";
import { toInput } from "./messages.ts";
import { type ChatBody, invalid, wrongType } from "./schema.ts";
import { toToolChoice, toTools } from "./tools.ts";

/** Fields whose name and meaning are the same in the Responses API; the backend's rules judge them. */
const SAME_NAME = [
  "parallel_tool_calls",
  "service_tier",
  "prompt_cache_key",
  "prompt_cache_options",
  "prompt_cache_retention",
  "temperature",
  "top_p",
  "top_logprobs",
  "metadata",
  "moderation",
  "safety_identifier",
  "user",
] as const;

/** Fields that are translated, or honoured by the proxy itself. */
const TRANSLATED = new Set<string>([
  ...SAME_NAME,
  "model",
  "messages",
  "stream",
  "stop",
  "n",
  "max_tokens",
  "max_completion_tokens",
  "tools",
  "tool_choice",
  "functions",
  "function_call",
  "web_search_options",
  "response_format",
  "reasoning_effort",
  "model_reasoning_effort",
  "reasoning",
  "verbosity",
  "text_verbosity",
  "model_verbosity",
  "text",
]);

/** Fields without a counterpart upstream, with the values that ask for nothing. All others are reported when set. */
const ASKS_NOTHING: Readonly<Record<string, (value: unknown) => boolean>> = {
  frequency_penalty: (value) => value === 0,
  presence_penalty: (value) => value === 0,
  logit_bias: (value) => isObject(value) && Object.keys(value).length === 0,
  logprobs: (value) => value === false,
  modalities: (value) => Array.isArray(value) && value.every((modality) => modality === "text"),
  // Nothing is stored upstream, and no obfuscation is added.
  store: (value) => value === false,
  stream_options: (value) => isObject(value) && value.include_obfuscation !== true,
};

/** Headers by which clients name their conversation, the most specific first. */
const SESSION_HEADERS = ["x-session-id", "x-session-affinity", "session-id", "x-client-session-id"];

/**
 * A Chat request in Responses terms.
 * @throws ProxyError `invalid_request` naming the parameter.
 */
export function toCanonical(body: ChatBody, header: HeaderReader): CanonicalRequest {
  const dropped = new Set<string>();
  const tools = toTools(body);
  const choice = toToolChoice(body, tools.length > 0);
  const text = toText(body);
  const maxOutputTokens = body.max_completion_tokens ?? body.max_tokens;

  const out: ResponsesBody = {
    model: body.model,
    input: toInput(body.messages, (name) => dropped.add(name)),
    ...(tools.length > 0 ? { tools } : {}),
    ...(choice === undefined ? {} : { tool_choice: choice }),
    ...(body.functions ? { parallel_tool_calls: false } : {}), // a legacy answer has room for one call
    reasoning: toReasoning(body),
    ...(text ? { text } : {}),
    // What keeps the model's reasoning between the turns of a tool loop.
    include: ["reasoning.encrypted_content"],
    ...toSameNamed(body),
  };
  if (maxOutputTokens !== undefined && maxOutputTokens !== null) {
    out.max_output_tokens = maxOutputTokens;
  }
  for (const name of unheeded(body)) dropped.add(name);

  const sessionKey = toSessionKey(body, header);
  return {
    body: out,
    stop: toStop(body.stop),
    copies: body.n ?? 1,
    dropped: [...dropped],
    clientNames: toClientNames(body),
    ...(sessionKey === undefined ? {} : { sessionKey }),
  };
}

function toSameNamed(body: ChatBody): JsonObject {
  const fields: JsonObject = {};
  for (const name of SAME_NAME) {
    if (body[name] !== undefined && body[name] !== null) fields[name] = body[name];
  }
  return fields;
}

/** What the client called a field, wherever it is not the Responses name: for the report of what was dropped. */
function toClientNames(body: ChatBody): Record<string, string> {
  const names: Record<string, string> = {};
  const name = (field: string, ...candidates: (keyof ChatBody & string)[]) => {
    const used = candidates.find((candidate) => body[candidate] !== undefined && body[candidate] !== null);
    if (used !== undefined) names[field] = used;
  };
  name("max_output_tokens", "max_completion_tokens", "max_tokens");
  name("reasoning.effort", "reasoning_effort", "model_reasoning_effort");
  name("text.verbosity", "verbosity", "text_verbosity", "model_verbosity");
  name("text.format", "response_format");
  if (names["text.format"]) names["text.format.strict"] = "response_format.json_schema.strict";
  name("tools.web_search", "web_search_options");
  name("tool_choice", "tool_choice", "function_call");
  return names;
}

/** True when the client asked for a stream. */
export function isStream(body: ChatBody): boolean {
  return body.stream === true;
}

/** `reasoning_effort | model_reasoning_effort | reasoning{}`; a summary is asked for unless the client decides otherwise. */
function toReasoning(body: ChatBody): JsonObject {
  const given = body.reasoning ?? {};
  const effort = body.reasoning_effort ?? body.model_reasoning_effort ?? given.effort;
  if (effort !== undefined && effort !== null && typeof effort !== "string") {
    throw wrongType("reasoning.effort", "string");
  }
  const summary = given.summary === undefined ? (effort === "none" ? null : "auto") : given.summary;
  const { effort: _, summary: __, ...rest } = given;
  return { ...rest, ...(effort ? { effort } : {}), ...(summary ? { summary } : {}) };
}

/** `response_format` and `verbosity | text_verbosity | model_verbosity | text{}`. */
function toText(body: ChatBody): JsonObject | undefined {
  const given = body.text ?? {};
  const verbosity = body.verbosity ?? body.text_verbosity ?? body.model_verbosity ?? given.verbosity;
  const format = toFormat(body.response_format);
  const text = { ...given, ...(verbosity ? { verbosity } : {}), ...(format ? { format } : {}) };
  return Object.keys(text).length > 0 ? text : undefined;
}

function toFormat(format: JsonObject | null | undefined): JsonObject | undefined {
  if (!format || format.type === "text") return undefined;
  if (format.type === "json_object") return { type: "json_object" };
  if (format.type !== "json_schema") {
    throw invalid("response_format.type must be text, json_object or json_schema", "response_format.type");
  }
  const wanted = format.json_schema;
  if (!isObject(wanted)) throw wrongType("response_format.json_schema", "object");
  if (typeof wanted.name !== "string" || wanted.name === "") {
    throw invalid("response_format.json_schema.name is required", "response_format.json_schema.name");
  }
  return {
    type: "json_schema",
    name: wanted.name,
    ...(wanted.description ? { description: wanted.description } : {}),
    schema: wanted.schema ?? { type: "object" },
    strict: wanted.strict === true,
  };
}

function toStop(stop: string | string[] | null | undefined): string[] {
  if (stop === undefined || stop === null) return [];
  const stops = typeof stop === "string" ? [stop] : stop;
  stops.forEach((one: unknown, index) => {
    if (typeof one !== "string") throw wrongType(`stop[${index}]`, "string");
  });
  return stops.filter((one) => one !== "");
}

/** Names of the fields that ask for something which nobody will do. */
function unheeded(body: ChatBody): string[] {
  return Object.keys(body).filter((name) => {
    const value = body[name];
    if (TRANSLATED.has(name) || value === undefined || value === null) return false;
    const rule = Object.hasOwn(ASKS_NOTHING, name) ? ASKS_NOTHING[name] : undefined;
    return !rule?.(value);
  });
}

function toSessionKey(body: ChatBody, header: HeaderReader): string | undefined {
  for (const name of SESSION_HEADERS) {
    const value = header(name);
    if (value) return value;
  }
  return body.prompt_cache_key || body.user || undefined;
}
