import { ProxyError } from "../../errors.ts";
import { isObject, type JsonObject } from "../../json.ts";
import type { MessagesBody } from "./schema.ts";

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
