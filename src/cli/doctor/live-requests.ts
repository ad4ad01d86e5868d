import { isObject, type JsonObject } from "../../json.ts";

/** What a tiny request tries out. */
export const LIVE_FEATURES = ["text", "stream", "tool call", "image", "structured output", "cache"] as const;
export type LiveFeature = (typeof LIVE_FEATURES)[number];

/** One endpoint's way to ask for a feature and to see that it worked. */
export interface LiveEndpoint {
  readonly path: string;
  body(feature: LiveFeature): JsonObject;
  /** The text of a whole answer. */
  text(answer: JsonObject): string;
  /** Name of the tool that was called. */
  tool(answer: JsonObject): string | undefined;
  /** What the last piece of a complete stream holds. */
  readonly streamEnd: string;
  cachedTokens(answer: JsonObject): number;
}

const TOOL = "get_time";
const PARAMETERS = {
  type: "object",
  properties: { zone: { type: "string" } },
  required: ["zone"],
  additionalProperties: false,
};
const SCHEMA = {
  type: "object",
  properties: { answer: { type: "string" } },
  required: ["answer"],
  additionalProperties: false,
};
/** 16 × 16 red pixels. */
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR42mP4z8BAEmIY1TCqYfhqAACQ+f8B8u7oVwAAAABJRU5ErkJggg==";
/** Upstream caches prefixes from 1024 tokens on. */
const LONG = `${"The quick brown fox jumps over the lazy dog and runs away. ".repeat(120)}\n`;
const ASK: Readonly<Record<LiveFeature, string>> = {
  text: "Reply with the single word ok.",
  stream: "Reply with the single word ok.",
  "tool call": `Call the tool ${TOOL} for the zone UTC.`,
  image: "Which colour is this picture? One word.",
  "structured output": "Answer ok, as JSON.",
  cache: `${LONG}Reply with the single word ok.`,
};

const list = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
const object = (value: unknown): JsonObject => (isObject(value) ? value : {});
const number = (value: unknown): number => (typeof value === "number" ? value : 0);
const string = (value: unknown): string => (typeof value === "string" ? value : "");

const chat: LiveEndpoint = {
  path: "/v1/chat/completions",
  body(feature) {
    const image = { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } };
    const content = feature === "image" ? [{ type: "text", text: ASK.image }, image] : ASK[feature];
    return {
      model: "auto",
      reasoning_effort: "low",
      messages: [{ role: "user", content }],
      ...(feature === "stream" ? { stream: true } : {}),
      ...(feature === "tool call"
        ? { tools: [{ type: "function", function: { name: TOOL, parameters: PARAMETERS } }], tool_choice: "required" }
        : {}),
      ...(feature === "structured output"
        ? { response_format: { type: "json_schema", json_schema: { name: "answer", strict: true, schema: SCHEMA } } }
        : {}),
    };
  },
  text: (answer) => string(object(list(answer.choices)[0]?.message).content),
  tool: (answer) => {
    const call = list(object(list(answer.choices)[0]?.message).tool_calls)[0];
    return call && string(object(call.function).name);
  },
  streamEnd: "[DONE]",
  cachedTokens: (answer) => number(object(object(answer.usage).prompt_tokens_details).cached_tokens),
};

const responses: LiveEndpoint = {
  path: "/v1/responses",
  body(feature) {
    const text = { type: "input_text", text: ASK[feature] };
    const image = { type: "input_image", image_url: `data:image/png;base64,${PNG}` };
    return {
      model: "auto",
      reasoning: { effort: "low" },
      input: [{ role: "user", content: feature === "image" ? [text, image] : [text] }],
      ...(feature === "stream" ? { stream: true } : {}),
      ...(feature === "tool call"
        ? { tools: [{ type: "function", name: TOOL, parameters: PARAMETERS, strict: true }], tool_choice: "required" }
        : {}),
      ...(feature === "structured output"
        ? { text: { format: { type: "json_schema", name: "answer", strict: true, schema: SCHEMA } } }
        : {}),
    };
  },
  text: (answer) =>
    list(answer.output)
      .flatMap((item) => list(item.content))
      .map((part) => string(part.text))
      .join(""),
  tool: (answer) => {
    const call = list(answer.output).find(({ type }) => type === "function_call");
    return call && string(call.name);
  },
  streamEnd: "response.completed",
  cachedTokens: (answer) => number(object(object(answer.usage).input_tokens_details).cached_tokens),
};

const messages: LiveEndpoint = {
  path: "/v1/messages",
  body(feature) {
    const image = { type: "image", source: { type: "base64", media_type: "image/png", data: PNG } };
    const content = feature === "image" ? [image, { type: "text", text: ASK.image }] : ASK[feature];
    const format = feature === "structured output" ? { format: { type: "json_schema", schema: SCHEMA } } : {};
    return {
      model: "auto",
      max_tokens: 1024,
      output_config: { effort: "low", ...format },
      messages: [{ role: "user", content }],
      ...(feature === "stream" ? { stream: true } : {}),
      ...(feature === "tool call"
        ? { tools: [{ name: TOOL, input_schema: PARAMETERS }], tool_choice: { type: "any" } }
        : {}),
    };
  },
  text: (answer) =>
    list(answer.content)
      .map((block) => string(block.text))
      .join(""),
  tool: (answer) => {
    const call = list(answer.content).find(({ type }) => type === "tool_use");
    return call && string(call.name);
  },
  streamEnd: "message_stop",
  cachedTokens: (answer) => number(object(answer.usage).cache_read_input_tokens),
};

export const LIVE_ENDPOINTS: readonly LiveEndpoint[] = [chat, responses, messages];

/** Undefined when the whole answer shows that the feature works, else what is wrong. */
export function faultOf(endpoint: LiveEndpoint, feature: LiveFeature, answer: JsonObject): string | undefined {
  if (feature === "tool call") return endpoint.tool(answer) === TOOL ? undefined : "the tool was not called";
  const text = endpoint.text(answer);
  if (text === "") return "the answer has no text";
  if (feature !== "structured output") return undefined;
  try {
    return typeof object(JSON.parse(text)).answer === "string" ? undefined : "the JSON does not fit the schema";
  } catch {
    return "the answer is not JSON";
  }
}
