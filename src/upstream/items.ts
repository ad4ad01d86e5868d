import type { ContentPart, InputItem } from "../canonical/request.ts";
import { isObject, type JsonObject } from "../json.ts";
import type { LossReport } from "./dropped.ts";

/**
 * Item fields that the ChatGPT backend takes, by item type; a type that is not here it refuses. Ids are left out where
 * they would be looked up: with `store:false` nothing is kept, and "Item with id … not found" would follow.
 */
const FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  message: new Set(["type", "role", "content", "phase"]),
  reasoning: new Set(["type", "summary", "content", "encrypted_content"]),
  function_call: new Set(["type", "call_id", "name", "arguments", "namespace"]),
  function_call_output: new Set(["type", "call_id", "output"]),
  custom_tool_call: new Set(["type", "call_id", "name", "input"]),
  custom_tool_call_output: new Set(["type", "call_id", "output"]),
  web_search_call: new Set(["type", "id", "status", "action"]),
  image_generation_call: new Set([
    "type",
    "id",
    "status",
    "result",
    "revised_prompt",
    "background",
    "output_format",
    "quality",
    "size",
  ]),
  tool_search_call: new Set(["type", "call_id", "status", "execution", "arguments"]),
  tool_search_output: new Set(["type", "call_id", "status", "execution", "tools"]),
  additional_tools: new Set(["type", "role", "tools"]),
  compaction: new Set(["type", "encrypted_content"]),
  compaction_trigger: new Set(["type"]),
};

const PART_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  input_text: new Set(["type", "text"]),
  output_text: new Set(["type", "text", "annotations"]),
  refusal: new Set(["type", "refusal"]),
  input_image: new Set(["type", "image_url", "file_id", "detail"]),
  input_file: new Set(["type", "filename", "file_data", "file_url", "file_id"]),
};
const ID_PREFIX: Readonly<Record<string, string>> = { web_search_call: "ws_", image_generation_call: "ig_" };

/**
 * Input items as the ChatGPT backend takes them: no `system` role, no stored ids, only known fields, parts that fit the
 * role, nothing empty. Items and arrays that need no change stay the same objects.
 * @param namespaces True when the request offers namespaced tools; else a call's namespace is an unknown parameter.
 */
export function seatItems(input: readonly InputItem[], namespaces: boolean, loss: LossReport): InputItem[] {
  const items: InputItem[] = [];
  for (const item of input) {
    const taken = takeItem(item as JsonObject, namespaces, loss);
    if (taken) items.push(taken as InputItem);
  }
  return items;
}

/** Takes away the image detail hints, which the lite lane refuses. */
export function withoutImageDetail(items: readonly InputItem[]): InputItem[] {
  const strip = (part: JsonObject) => {
    if (part.type !== "input_image" || part.detail === undefined) return part;
    const { detail: _, ...rest } = part;
    return rest;
  };
  return items.map((item) => {
    for (const field of ["content", "output"]) {
      const parts = (item as JsonObject)[field];
      if (!Array.isArray(parts)) continue;
      if (parts.some((part) => strip(part) !== part)) return { ...item, [field]: parts.map(strip) } as InputItem;
    }
    return item;
  });
}

function takeItem(item: JsonObject, namespaces: boolean, loss: LossReport): JsonObject | undefined {
  if (!isObject(item)) return undefined;
  const type = item.type === undefined && item.role !== undefined ? "message" : String(item.type);
  const fields = Object.hasOwn(FIELDS, type) ? FIELDS[type] : undefined;
  if (!fields) {
    loss.drop(`input.${type}`);
    return undefined;
  }
  const known = item.type === undefined ? { type, ...item } : item;
  const taken = pick(known, fields, (field, value) => {
    if (value === null) return field === "content" && type === "reasoning";
    if (field === "id")
      return typeof value === "string" && value.length <= 64 && value.startsWith(ID_PREFIX[type] ?? "");
    return field !== "namespace" || namespaces;
  });
  if (type === "message") return takeMessage(taken);
  if (type === "reasoning") return takeReasoning(taken);
  if (type === "function_call_output" || type === "custom_tool_call_output") return takeOutput(taken);
  return taken;
}

/** Reasoning that is not sealed into the item lives in no store that upstream could look into. */
function takeReasoning(item: JsonObject): JsonObject | undefined {
  if (typeof item.encrypted_content !== "string" || item.encrypted_content === "") return undefined;
  return Array.isArray(item.summary) ? item : { ...item, summary: [] };
}

function takeMessage(item: JsonObject): JsonObject | undefined {
  const role = item.role === "system" ? "developer" : item.role;
  const { content } = item;
  if (typeof content === "string") {
    if (content === "") return undefined;
    return role === item.role ? item : { ...item, role };
  }
  if (!Array.isArray(content)) return content === undefined ? undefined : item;
  const parts = takeParts(content, role === "assistant");
  if (parts.length === 0) return undefined;
  return role === item.role && parts === content ? item : { ...item, role, content: parts };
}

function takeOutput(item: JsonObject): JsonObject {
  const { output } = item;
  if (typeof output === "string") return item;
  if (!Array.isArray(output)) return { ...item, output: output === undefined ? "" : JSON.stringify(output) };
  const parts = takeParts(output, false);
  if (parts.length === 0) return { ...item, output: "" };
  return parts === output ? item : { ...item, output: parts };
}

function takeParts(parts: unknown[], assistant: boolean): unknown[] {
  let copy: unknown[] | undefined;
  parts.forEach((part, at) => {
    const taken = isObject(part) ? takePart(part, assistant) : part;
    if (taken !== part) copy ??= parts.slice(0, at);
    if (copy && taken !== undefined) copy.push(taken);
  });
  return copy ?? parts;
}

function takePart(part: JsonObject, assistant: boolean): ContentPart | JsonObject | undefined {
  const wanted = assistant ? "output_text" : "input_text";
  const other = assistant ? "input_text" : "output_text";
  const isText = part.type === wanted || part.type === other || part.type === "text";
  if (isText && part.text === "") return undefined;
  if (isText && part.type !== wanted) return { type: wanted, text: part.text };
  if (!assistant && part.type === "refusal") return { type: "input_text", text: part.refusal };
  const fields = Object.hasOwn(PART_FIELDS, String(part.type)) ? PART_FIELDS[String(part.type)] : undefined;
  return fields ? pick(part, fields, (_, value) => value !== null) : part;
}

/** The object without other fields than `fields`; the same object when it has no others. */
function pick(
  value: JsonObject,
  fields: ReadonlySet<string>,
  keep: (field: string, value: unknown) => boolean,
): JsonObject {
  let clean = true;
  for (const field in value) {
    if (!fields.has(field) || value[field] === undefined || !keep(field, value[field])) {
      clean = false;
      break;
    }
  }
  if (clean) return value;
  const picked: JsonObject = {};
  for (const field of Object.keys(value)) {
    if (fields.has(field) && value[field] !== undefined && keep(field, value[field])) picked[field] = value[field];
  }
  return picked;
}
