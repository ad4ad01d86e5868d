import { ProxyError } from "../../errors.ts";
import { isObject, type JsonObject } from "../../json.ts";

/**
 * Request of `POST /v1/messages` (https://platform.claude.com/docs/en/api/messages) as far as the translation reads it.
 * Everything else stays in the object and is reported by `request.ts`.
 */
export interface MessagesBody {
  model: string;
  messages: Message[];
  /** Absent in `count_tokens` requests. */
  max_tokens?: number;
  system?: string | TextBlock[];
  tools?: ToolParam[];
  tool_choice?: ToolChoice;
  thinking?: ThinkingConfig | null;
  output_config?: OutputConfig | null;
  output_format?: JsonObject | null;
  stop_sequences?: string[];
  stream?: boolean;
  metadata?: { user_id?: string | null; [key: string]: unknown } | null;
  /** Server-held history: `{type: "create"}` or `{type: "continue", previous_message_id}`; served by the route. */
  thread?: JsonObject | null;
  [key: string]: unknown;
}

export interface Message {
  role: "user" | "assistant" | "system";
  content: string | ContentBlock[];
  /** System messages only: `next_user_message` hides the text once a later user message exists. */
  clear_at?: string | null;
  output_config?: OutputConfig | null;
}

export interface OutputConfig {
  effort?: string | null;
  format?: JsonObject | null;
  [key: string]: unknown;
}

export interface ThinkingConfig {
  type: "enabled" | "disabled" | "adaptive" | "between_tools";
  budget_tokens?: number;
  display?: string | null;
}

export interface ToolChoice {
  type: "auto" | "any" | "tool" | "none";
  name?: string;
  disable_parallel_tool_use?: boolean;
}

/** A custom tool has `input_schema`; the ones that Anthropic defines are known by `type`. */
export interface ToolParam {
  type?: string | null;
  name?: string;
  description?: string;
  input_schema?: unknown;
  strict?: boolean | null;
  [key: string]: unknown;
}

export interface TextBlock {
  type: "text";
  text: string;
}
export interface ImageBlock {
  type: "image";
  source: JsonObject;
}
export interface DocumentBlock {
  type: "document";
  source: JsonObject;
  title?: string | null;
  context?: string | null;
  citations?: JsonObject | null;
}
export interface SearchResultBlock {
  type: "search_result";
  source: string;
  title: string;
  content: TextBlock[];
}
export interface ThinkingBlock {
  type: "thinking";
  thinking: string;
  signature?: string;
}
export interface RedactedThinkingBlock {
  type: "redacted_thinking";
  data: string;
}
export interface ToolUseBlock {
  type: "tool_use";
  id: string;
  name: string;
  input: unknown;
}
export interface ToolResultBlock {
  type: "tool_result";
  tool_use_id: string;
  content?: string | ContentBlock[];
  is_error?: boolean;
}

/** The blocks that have a counterpart upstream; all others are carried as text (`content.ts`). */
export type ContentBlock =
  | TextBlock
  | ImageBlock
  | DocumentBlock
  | SearchResultBlock
  | ThinkingBlock
  | RedactedThinkingBlock
  | ToolUseBlock
  | ToolResultBlock;

type Kind = "string" | "object" | "array";

/** Fields without which a block cannot be translated. */
const REQUIRED: Readonly<Record<string, readonly (readonly [string, Kind])[]>> = {
  text: [["text", "string"]],
  image: [["source", "object"]],
  document: [["source", "object"]],
  search_result: [
    ["source", "string"],
    ["title", "string"],
    ["content", "array"],
  ],
  redacted_thinking: [["data", "string"]],
  tool_use: [
    ["id", "string"],
    ["name", "string"],
  ],
  tool_result: [["tool_use_id", "string"]],
};

const ROLES = new Set(["user", "assistant", "system"]);
const THINKING = new Set(["enabled", "disabled", "adaptive", "between_tools"]);
const TOOL_CHOICES = new Set(["auto", "any", "tool", "none"]);

/**
 * Checks what the translation reads.
 * @throws ProxyError `invalid_request` whose `param` is the path in the client's JSON, e.g. `messages[0].content`.
 */
export function readRequest(json: unknown): MessagesBody {
  if (!isObject(json)) throw new ProxyError("invalid_request", "request body must be a JSON object");
  if (typeof json.model !== "string" || json.model === "") refuse("model", "model is required");
  if (!Array.isArray(json.messages)) refuse("messages", "messages is required");
  for (const [index, message] of json.messages.entries()) readMessage(message, `messages[${index}]`);
  if (!json.messages.some((message) => message.role !== "system")) {
    refuse("messages", "at least one user or assistant message is required");
  }
  if (json.system !== undefined && json.system !== null) readContent(json.system, "system");
  readControls(json);
  readTools(json);
  return json as unknown as MessagesBody;
}

function readControls(json: JsonObject): void {
  const { max_tokens, stop_sequences, stream, thinking, output_config, output_format, metadata, thread } = json;
  if (max_tokens !== undefined && !(Number.isInteger(max_tokens) && Number(max_tokens) > 0)) {
    refuse("max_tokens", "max_tokens must be a positive integer");
  }
  if (
    given(stop_sequences) &&
    !(Array.isArray(stop_sequences) && stop_sequences.every((one) => typeof one === "string"))
  ) {
    refuse("stop_sequences", "stop_sequences must be an array of strings");
  }
  if (given(stream) && typeof stream !== "boolean") refuse("stream", "stream must be a boolean");
  const objects = { thinking, output_config, output_format, metadata, thread };
  for (const [name, value] of Object.entries(objects)) {
    if (given(value) && !isObject(value)) refuse(name, `${name} must be an object`);
  }
  if (isObject(thinking) && !THINKING.has(String(thinking.type))) {
    refuse("thinking.type", "thinking.type must be enabled, adaptive, between_tools or disabled");
  }
}

function readTools(json: JsonObject): void {
  const { tools, tool_choice } = json;
  if (given(tools)) {
    if (!Array.isArray(tools)) refuse("tools", "tools must be an array");
    tools.forEach((tool, index) => {
      if (!isObject(tool)) refuse(`tools[${index}]`, `tools[${index}] must be an object`);
      const custom = !given(tool.type) || tool.type === "custom";
      if (custom && typeof tool.name !== "string") refuse(`tools[${index}].name`, `tools[${index}].name is required`);
    });
  }
  if (!given(tool_choice)) return;
  if (!isObject(tool_choice) || !TOOL_CHOICES.has(String(tool_choice.type))) {
    refuse("tool_choice.type", "tool_choice.type must be auto, any, tool or none");
  }
  if (tool_choice.type === "tool" && typeof tool_choice.name !== "string") {
    refuse("tool_choice.name", "tool_choice.name is required when tool_choice.type is tool");
  }
}

function readMessage(message: unknown, path: string): void {
  if (!isObject(message)) refuse(path, `${path} must be an object`);
  if (!ROLES.has(String(message.role))) refuse(`${path}.role`, `${path}.role must be user, assistant or system`);
  // A system message may carry only settings.
  if (message.role === "system" && !given(message.content)) return;
  readContent(message.content, `${path}.content`);
}

function readContent(content: unknown, path: string): void {
  if (typeof content === "string") return;
  if (!Array.isArray(content)) refuse(path, `${path} must be a string or an array of content blocks`);
  for (const [index, block] of content.entries()) readBlock(block, `${path}[${index}]`);
}

function readBlock(block: unknown, path: string): void {
  if (!isObject(block) || typeof block.type !== "string") refuse(path, `${path} must be a content block with a type`);
  for (const [field, kind] of (Object.hasOwn(REQUIRED, block.type) && REQUIRED[block.type]) || []) {
    if (!isKind(block[field], kind)) refuse(`${path}.${field}`, `${path}.${field} must be ${article(kind)} ${kind}`);
  }
  const nested = block.type === "tool_result" || block.type === "search_result";
  if (nested && given(block.content)) readContent(block.content, `${path}.content`);
}

function isKind(value: unknown, kind: Kind): boolean {
  return kind === "array" ? Array.isArray(value) : kind === "object" ? isObject(value) : typeof value === "string";
}

function article(kind: Kind): string {
  return kind === "string" ? "a" : "an";
}

function given(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function refuse(param: string, message: string): never {
  throw new ProxyError("invalid_request", message, { param });
}
