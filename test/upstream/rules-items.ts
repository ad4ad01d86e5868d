import { checkContent as checkEncrypted } from "./encrypted-content.ts";
import { asString, isObject, type JsonObject, lookup } from "./json.ts";
import { detail, invalid, invalidType, invalidValue, missingParameter, tooLong, unknownParameter } from "./refusal.ts";
import { checkContent } from "./rules-content.ts";
import { checkName } from "./rules-tools.ts";

/** Fields of each input item, beside `type`, `id`, `status`. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  message: ["role", "content", "phase"],
  reasoning: ["summary", "content", "encrypted_content"],
  function_call: ["call_id", "name", "arguments"],
  function_call_output: ["call_id", "output"],
  custom_tool_call: ["call_id", "name", "input"],
  custom_tool_call_output: ["call_id", "output"],
  web_search_call: ["action"],
  image_generation_call: ["result", "revised_prompt", "background", "output_format", "quality", "size"],
  tool_search_call: ["call_id", "execution", "arguments"],
  tool_search_output: ["call_id", "execution", "tools"],
  additional_tools: ["role", "tools"],
  compaction: ["encrypted_content"],
  compaction_trigger: [],
  item_reference: [],
};
const ID_PREFIX: Readonly<Record<string, string>> = {
  message: "msg",
  reasoning: "rs",
  function_call: "fc",
  function_call_output: "fco",
  custom_tool_call: "ctc",
  custom_tool_call_output: "ctco",
  web_search_call: "ws",
  image_generation_call: "ig",
  additional_tools: "at",
  compaction: "cmp",
};
const STATUSES = ["in_progress", "completed", "incomplete"];
const INPUT_PARTS = ["input_text", "input_image", "input_file"];

export interface ItemRules {
  readonly lite: boolean;
  /** api.openai.com: `system` is a role, and stored items may be referred to. */
  readonly platform: boolean;
  /** A Codex client sends ids and metadata of its own making, which the seat accepts. */
  readonly native: boolean;
  /** What encrypted content must have been sealed for. */
  readonly binding: string;
  readonly model: string;
  /** Item ids that this server gave out. */
  readonly knownIds: ReadonlySet<string>;
  /** Namespaces among the tools; a call may carry one of them. */
  readonly namespaces: ReadonlySet<string>;
}

/** Checks every input item, then that calls and outputs pair up. Throws {@link Refusal} for the first fault. */
export function checkItems(input: readonly unknown[], rules: ItemRules): void {
  if (input.length === 0)
    throw invalid(
      "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      "input",
      "empty_array",
    );
  for (const [index, item] of input.entries()) {
    const at = `input[${index}]`;
    if (!isObject(item)) throw invalidType(at, "an object", item);
    checkItem(item, at, rules);
  }
  const items = input.filter(isObject);
  checkPairs(items, "function_call", "function call");
  checkPairs(items, "custom_tool_call", "custom tool call");
}

function checkItem(item: JsonObject, at: string, rules: ItemRules): void {
  const type = item.type === undefined && item.role !== undefined ? "message" : asString(item.type);
  const fields = lookup(FIELDS, type);
  if (fields === undefined) throw invalidValue(`${at}.type`, item.type, Object.keys(FIELDS));
  for (const field of Object.keys(item)) {
    if (["type", "id", "status", ...fields].includes(field)) continue;
    if (field === "internal_chat_message_metadata_passthrough" && !rules.platform) continue;
    if (field === "namespace" && type === "function_call" && rules.namespaces.has(asString(item.namespace))) continue;
    throw unknownParameter(`${at}.${field}`);
  }
  if (item.status !== undefined && item.status !== null && !STATUSES.includes(asString(item.status)))
    throw invalidValue(`${at}.status`, item.status, STATUSES);
  checkId(item, type, at, rules);
  checkFields(item, type, at, rules);
}

function checkFields(item: JsonObject, type: string, at: string, rules: ItemRules): void {
  if (type === "message") checkMessage(item, at, rules);
  if (type === "reasoning") checkReasoning(item, at, rules);
  if (type === "compaction") checkBlob(item.encrypted_content, `${at}.encrypted_content`, rules);
  if (type === "additional_tools" && !rules.lite)
    throw invalid(
      `Invalid value: 'additional_tools' is only supported with Responses Lite.`,
      `${at}.type`,
      "invalid_value",
    );
  if (["function_call", "custom_tool_call"].includes(type)) {
    checkName(item.name, `${at}.name`);
    checkCallId(item.call_id, `${at}.call_id`);
    const field = type === "function_call" ? "arguments" : "input";
    if (typeof item[field] !== "string")
      throw item[field] === undefined
        ? missingParameter(`${at}.${field}`)
        : invalidType(`${at}.${field}`, "a string", item[field]);
  }
  if (["function_call_output", "custom_tool_call_output"].includes(type)) {
    checkCallId(item.call_id, `${at}.call_id`);
    checkContent(item.output, `${at}.output`, INPUT_PARTS, rules.lite);
  }
}

function checkMessage(item: JsonObject, at: string, rules: ItemRules): void {
  const role = asString(item.role);
  if (role === "system" && !rules.platform) throw detail("System messages are not allowed");
  if (!["user", "developer", "assistant", "system"].includes(role))
    throw invalidValue(`${at}.role`, item.role, ["assistant", "system", "developer", "user"]);
  const { content } = item;
  if (content === "" || (Array.isArray(content) && content.length === 0))
    throw invalid(
      `Invalid '${at}.content': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
      `${at}.content`,
      "empty_array",
    );
  checkContent(content, `${at}.content`, role === "assistant" ? ["output_text", "refusal"] : INPUT_PARTS, rules.lite);
}

function checkReasoning(item: JsonObject, at: string, rules: ItemRules): void {
  if (!Array.isArray(item.summary))
    throw item.summary === undefined
      ? missingParameter(`${at}.summary`)
      : invalidType(`${at}.summary`, "an array of objects", item.summary);
  for (const [index, part] of item.summary.entries()) {
    if (!isObject(part) || part.type !== "summary_text" || typeof part.text !== "string")
      throw invalidValue(`${at}.summary[${index}].type`, isObject(part) ? part.type : part, ["summary_text"]);
  }
  if (item.encrypted_content === undefined || item.encrypted_content === null) {
    if (item.id !== undefined && rules.knownIds.has(asString(item.id)) && rules.platform) return;
    throw item.id === undefined ? missingParameter(`${at}.encrypted_content`) : notFound(asString(item.id));
  }
  checkBlob(item.encrypted_content, `${at}.encrypted_content`, rules);
}

function checkBlob(blob: unknown, path: string, rules: ItemRules): void {
  if (typeof blob !== "string") throw blob === undefined ? missingParameter(path) : invalidType(path, "a string", blob);
  checkEncrypted(blob, rules.binding, rules.model);
}

function checkId(item: JsonObject, type: string, at: string, rules: ItemRules): void {
  const { id } = item;
  if (id === undefined || id === null) {
    if (type === "item_reference") throw missingParameter(`${at}.id`);
    return;
  }
  if (typeof id !== "string") throw invalidType(`${at}.id`, "a string", id);
  if (id.length > 64) throw tooLong(`${at}.id`, 64, id);
  if (type === "item_reference") {
    if (rules.platform && rules.knownIds.has(id)) return;
    throw notFound(id);
  }
  const prefix = lookup(ID_PREFIX, type);
  if (prefix !== undefined && !id.startsWith(`${prefix}_`))
    throw invalid(
      `Invalid '${at}.id': '${id}'. Expected an ID that begins with '${prefix}'.`,
      `${at}.id`,
      "invalid_value",
    );
  const stored = type === "message" || type === "reasoning";
  if (stored && !rules.native && !rules.knownIds.has(id)) throw notFound(id);
}

function checkCallId(id: unknown, path: string): void {
  if (id === undefined) throw missingParameter(path);
  if (typeof id !== "string") throw invalidType(path, "a string", id);
  if (id.length > 64) throw tooLong(path, 64, id);
  if (id.length === 0)
    throw invalid(
      `Invalid '${path}': empty string. Expected a string with minimum length 1, but got an empty string instead.`,
      path,
      "empty_string",
    );
}

function checkPairs(items: readonly JsonObject[], type: string, words: string): void {
  const open = new Set<string>();
  for (const item of items) {
    const id = asString(item.call_id);
    if (item.type === type) open.add(id);
    if (item.type === `${type}_output` && !open.delete(id))
      throw invalid(`No tool call found for ${words} output with call_id ${id}.`, "input", null);
  }
  const [unanswered] = open;
  if (unanswered !== undefined) throw invalid(`No tool output found for ${words} ${unanswered}.`, "input", null);
}

function notFound(id: string) {
  const message = `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`;
  return invalid(message, "input", null, 404);
}
