import type { ContentPart, InputItem } from "../../canonical/request.ts";
import { isObject, type JsonObject } from "../../json.ts";
import { ASSISTANT, type ContentRules, type Report, TEXT_ONLY, TOOL, toParts, USER } from "./content.ts";
import { type ChatMessage, invalid, wrongType } from "./schema.ts";

/** What the messages read so far say about later ones. */
interface History {
  readonly items: InputItem[];
  readonly report: Report;
  /** Ids of custom tool calls: their outputs are items of another type. */
  readonly customCalls: Set<string>;
  /** Legacy function calls have no ids: those made up for the calls that still wait for their output, by name. */
  readonly legacyCalls: Map<string, string>;
}

/**
 * The conversation as Responses items, in its order. System messages become developer messages in place, since the
 * ChatGPT backend refuses the role and moving them would break the cached prefix of later turns.
 * @throws ProxyError `invalid_request` naming the message and part.
 */
export function toInput(messages: readonly ChatMessage[], report: Report): InputItem[] {
  const history: History = { items: [], report, customCalls: new Set(), legacyCalls: new Map() };
  messages.forEach((message, index) => {
    addTurn(history, message, `messages[${index}]`);
  });
  if (history.items.length === 0) throw invalid("messages must have some content", "messages");
  return history.items;
}

function addTurn(history: History, message: ChatMessage, path: string): void {
  if (typeof message.name === "string" && message.role !== "function") history.report("messages.name");
  switch (message.role) {
    case "system":
    case "developer":
      addMessage(history, "developer", message.content, TEXT_ONLY, path);
      break;
    case "user":
      addMessage(history, "user", message.content, USER, path);
      break;
    case "assistant":
      addAssistant(history, message, path);
      break;
    case "tool":
      addToolOutput(history, message, path);
      break;
    case "function":
      addFunctionOutput(history, message, path);
      break;
    default:
      message.role satisfies never;
  }
}

function addMessage(
  history: History,
  role: "developer" | "user",
  content: unknown,
  rules: ContentRules,
  path: string,
): void {
  const parts = toParts(content, rules, `${path}.content`, history.report);
  if (parts.length > 0) history.items.push({ type: "message", role, content: parts });
}

/** Text first, then the calls in their order; a message without text adds none, so that calls and outputs stay together. */
function addAssistant(history: History, message: ChatMessage, path: string): void {
  const parts: ContentPart[] =
    message.content === null || message.content === undefined
      ? []
      : toParts(message.content, ASSISTANT, `${path}.content`, history.report);
  if (typeof message.refusal === "string" && message.refusal !== "") {
    parts.push({ type: "refusal", refusal: message.refusal });
  }
  if (isObject(message.audio)) history.report("messages.audio");
  if (parts.length > 0) history.items.push({ type: "message", role: "assistant", content: parts });

  const calls = message.tool_calls ?? [];
  if (!Array.isArray(calls)) throw wrongType(`${path}.tool_calls`, "array");
  calls.forEach((call: unknown, index) => {
    addCall(history, call, `${path}.tool_calls[${index}]`);
  });
  if (isObject(message.function_call)) addLegacyCall(history, message.function_call, `${path}.function_call`);
}

function addCall(history: History, call: unknown, path: string): void {
  if (!isObject(call)) throw wrongType(path, "object");
  const id = readString(call, "id", path);
  if (call.type === "custom" && isObject(call.custom)) {
    history.customCalls.add(id);
    const name = readString(call.custom, "name", `${path}.custom`);
    const input = readString(call.custom, "input", `${path}.custom`);
    history.items.push({ type: "custom_tool_call", call_id: id, name, input });
    return;
  }
  if (!isObject(call.function)) throw wrongType(`${path}.function`, "object");
  const name = readString(call.function, "name", `${path}.function`);
  const args = readString(call.function, "arguments", `${path}.function`);
  history.items.push({ type: "function_call", call_id: id, name, arguments: args || "{}" });
}

function addLegacyCall(history: History, call: JsonObject, path: string): void {
  const name = readString(call, "name", path);
  const args = readString(call, "arguments", path);
  // The place in the history makes the id, so that equal histories give equal requests.
  const id = `call_legacy_${history.items.length}`;
  history.legacyCalls.set(name, id);
  history.items.push({ type: "function_call", call_id: id, name, arguments: args || "{}" });
}

function addToolOutput(history: History, message: ChatMessage, path: string): void {
  const id = readString(message, "tool_call_id", path);
  const output = toOutput(history, message.content, path);
  const type = history.customCalls.has(id) ? "custom_tool_call_output" : "function_call_output";
  history.items.push({ type, call_id: id, output });
}

function addFunctionOutput(history: History, message: ChatMessage, path: string): void {
  const name = readString(message, "name", path);
  // An output that answers no call is mended with the other orphans, before the request goes upstream.
  const id = history.legacyCalls.get(name) ?? `call_legacy_${name}`;
  history.legacyCalls.delete(name);
  history.items.push({ type: "function_call_output", call_id: id, output: toOutput(history, message.content, path) });
}

function toOutput(history: History, content: unknown, path: string): string | ContentPart[] {
  if (typeof content === "string") return content;
  if (content === null || content === undefined) return "";
  const parts = toParts(content, TOOL, `${path}.content`, history.report);
  return parts.length === 0 ? "" : parts;
}

function readString(object: JsonObject, name: string, path: string): string {
  const value = object[name];
  if (typeof value !== "string") throw wrongType(`${path}.${name}`, "string");
  return value;
}
