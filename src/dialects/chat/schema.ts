import { ProxyError } from "../../errors.ts";
import { isObject, type JsonObject } from "../../json.ts";

/** One message; its role and shape are known, its content is checked where it is translated. */
export interface ChatMessage {
  role: "system" | "developer" | "user" | "assistant" | "tool" | "function";
  content?: unknown;
  [key: string]: unknown;
}

/**
 * A Chat Completions request (https://platform.openai.com/docs/api-reference/chat/create), and this program's own
 * controls: `model_reasoning_effort`, `reasoning`, `text_verbosity`, `model_verbosity`, `text`. Fields that are not
 * listed are the client's own and are reported, not refused.
 */
export interface ChatBody {
  model: string;
  messages: ChatMessage[];
  frequency_penalty?: number | null;
  function_call?: string | JsonObject | null;
  functions?: JsonObject[] | null;
  logprobs?: boolean | null;
  max_completion_tokens?: number | null;
  max_tokens?: number | null;
  model_reasoning_effort?: string | null;
  model_verbosity?: string | null;
  n?: number | null;
  parallel_tool_calls?: boolean | null;
  presence_penalty?: number | null;
  prompt_cache_key?: string | null;
  reasoning?: JsonObject | null;
  reasoning_effort?: string | null;
  response_format?: JsonObject | null;
  service_tier?: string | null;
  stop?: string | string[] | null;
  stream?: boolean | null;
  stream_options?: JsonObject | null;
  text?: JsonObject | null;
  text_verbosity?: string | null;
  tool_choice?: string | JsonObject | null;
  tools?: JsonObject[] | null;
  top_logprobs?: number | null;
  user?: string | null;
  verbosity?: string | null;
  web_search_options?: JsonObject | null;
  [key: string]: unknown;
}

type Kind = "string" | "number" | "integer" | "boolean" | "object" | "array" | "string or array" | "string or object";

/** The fields that the translation reads, by type. Null counts as absent everywhere. */
const FIELDS = Object.entries<Kind>({
  frequency_penalty: "number",
  function_call: "string or object",
  functions: "array",
  logprobs: "boolean",
  max_completion_tokens: "integer",
  max_tokens: "integer",
  model_reasoning_effort: "string",
  model_verbosity: "string",
  n: "integer",
  parallel_tool_calls: "boolean",
  presence_penalty: "number",
  prompt_cache_key: "string",
  reasoning: "object",
  reasoning_effort: "string",
  response_format: "object",
  service_tier: "string",
  stop: "string or array",
  stream: "boolean",
  stream_options: "object",
  temperature: "number",
  text: "object",
  text_verbosity: "string",
  tool_choice: "string or object",
  tools: "array",
  top_logprobs: "integer",
  top_p: "number",
  user: "string",
  verbosity: "string",
  web_search_options: "object",
});

const ROLES = new Set(["system", "developer", "user", "assistant", "tool", "function"]);

/** Answers that one request may ask for: each is an upstream request of its own on one person's plan. */
const MAX_COPIES = 16;

/**
 * Reads a request. Contents of messages are checked in `messages.ts`, as they are read, so that a long history is
 * walked once.
 * @throws ProxyError `invalid_request` naming the parameter.
 */
export function readRequest(json: unknown): ChatBody {
  if (!isObject(json)) throw invalid("request body must be a JSON object");
  if (json.model === undefined || json.model === null || json.model === "") throw invalid("model is required", "model");
  if (typeof json.model !== "string") throw wrongType("model", "string");
  readMessages(json.messages);
  for (const [name, kind] of FIELDS) {
    const value = json[name];
    if (value !== undefined && value !== null && !isKind(value, kind)) throw wrongType(name, kind);
  }
  const body = json as ChatBody;
  for (const name of ["max_completion_tokens", "max_tokens"] as const) {
    if ((body[name] ?? 1) < 1) throw invalid(`${name} must be at least 1`, name);
  }
  if ((body.n ?? 1) < 1 || (body.n ?? 1) > MAX_COPIES) throw invalid(`n must be between 1 and ${MAX_COPIES}`, "n");
  return body;
}

function readMessages(messages: unknown): void {
  if (messages === undefined || messages === null) throw invalid("messages is required", "messages");
  if (!Array.isArray(messages)) throw wrongType("messages", "array");
  let asks = false;
  messages.forEach((message: unknown, index) => {
    if (!isObject(message)) throw wrongType(`messages[${index}]`, "object");
    const role = message.role;
    if (typeof role !== "string" || !ROLES.has(role)) {
      throw invalid(`messages[${index}].role must be one of ${[...ROLES].join(", ")}`, `messages[${index}].role`);
    }
    asks ||= role === "user" || role === "assistant";
  });
  if (!asks) throw invalid("at least one user or assistant message is required", "messages");
}

function isKind(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case "integer":
      return Number.isInteger(value);
    case "object":
      return isObject(value);
    case "array":
      return Array.isArray(value);
    case "string or array":
      return typeof value === "string" || Array.isArray(value);
    case "string or object":
      return typeof value === "string" || isObject(value);
    default:
      return typeof value === kind;
  }
}

/** A 400 that names the parameter. */
export function invalid(message: string, param?: string): ProxyError {
  return new ProxyError("invalid_request", message, param === undefined ? {} : { param });
}

/** A 400 for a parameter of another type than the API's. */
export function wrongType(param: string, expected: string): ProxyError {
  return invalid(`${param} must be ${/^[aeio]/.test(expected) ? "an" : "a"} ${expected}`, param);
}
