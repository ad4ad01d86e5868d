import { ProxyError } from "../errors.ts";
import { isObject, type JsonObject } from "../json.ts";

/** No answer has so many items or parts; encoders keep them by index, so that a larger one would cost memory and time. */
const MAX_INDEX = 9_999;
const INDEXES = ["output_index", "content_index", "summary_index"] as const;

type Check = (value: JsonObject) => boolean;

const hasText =
  (name: string): Check =>
  (value) =>
    typeof value[name] === "string";
const hasDelta = hasText("delta");
const hasPart: Check = (value) => isObject(value.part);
const hasItem: Check = (value) => isItem(value.item);
const hasResponse: Check = ({ response }) =>
  isObject(response) && isAbsentOr(response.output, (list) => all(list, isItem));

/** What encoders read of each event without looking at its type again. */
const CHECKS: ReadonlyMap<unknown, Check> = new Map<unknown, Check>([
  ["response.created", hasResponse],
  ["response.in_progress", hasResponse],
  ["response.queued", hasResponse],
  ["response.completed", hasResponse],
  ["response.incomplete", hasResponse],
  ["response.output_item.added", hasItem],
  ["response.output_item.done", hasItem],
  ["response.content_part.added", hasPart],
  ["response.content_part.done", (value) => isPart(value.part)],
  ["response.output_text.delta", hasDelta],
  ["response.output_text.done", hasText("text")],
  ["response.output_text.annotation.added", (value) => isObject(value.annotation)],
  ["response.refusal.delta", hasDelta],
  ["response.refusal.done", hasText("refusal")],
  ["response.function_call_arguments.delta", hasDelta],
  ["response.function_call_arguments.done", hasText("arguments")],
  ["response.custom_tool_call_input.delta", hasDelta],
  ["response.custom_tool_call_input.done", hasText("input")],
  ["response.reasoning_summary_part.added", hasPart],
  ["response.reasoning_summary_part.done", hasPart],
  ["response.reasoning_summary_text.delta", hasDelta],
  ["response.reasoning_summary_text.done", hasText("text")],
  ["response.reasoning_text.delta", hasDelta],
  ["response.reasoning_text.done", hasText("text")],
]);

const ITEMS: ReadonlyMap<unknown, Check> = new Map<unknown, Check>([
  ["message", (item) => item.content === undefined || all(item.content, isPart)],
  ["function_call", (item) => isText(item.name) && isText(item.call_id) && isAbsentOr(item.arguments, isText)],
  ["custom_tool_call", (item) => isText(item.name) && isText(item.call_id) && isAbsentOr(item.input, isText)],
  ["reasoning", (item) => isAbsentOr(item.summary, (list) => all(list, isTextPart)) && isSeal(item)],
  ["web_search_call", (item) => isAbsentOr(item.action, isObject)],
]);

/**
 * Refuses an event whose fields are not of the types that encoders count on: taken as it is, one such event could end an
 * answer in nonsense, or never end it. An index that is null counts as left out, as does usage that holds no counts: the
 * answer is worth more than its numbers.
 * @throws ProxyError `upstream_protocol`.
 */
export function checkEvent(value: JsonObject): void {
  for (const name of INDEXES) {
    const index = value[name];
    if (index === undefined) continue;
    if (index === null) delete value[name];
    else if (!Number.isInteger(index) || (index as number) < 0 || (index as number) > MAX_INDEX) throw malformed(value);
  }
  const isSound = CHECKS.get(value.type);
  if (isSound && !isSound(value)) throw malformed(value);
  if (isObject(value.response) && !isAbsentOr(value.response.usage, isUsage)) delete value.response.usage;
}

function malformed(value: JsonObject): ProxyError {
  return new ProxyError("upstream_protocol", `upstream sent a malformed ${value.type} event; send the request again`);
}

function isItem(item: unknown): boolean {
  if (!isObject(item) || typeof item.type !== "string") return false;
  return ITEMS.get(item.type)?.(item) ?? true;
}

function isPart(part: unknown): boolean {
  if (!isObject(part)) return false;
  if (part.type === "output_text") return isText(part.text);
  return part.type !== "refusal" || isText(part.refusal);
}

function isTextPart(part: unknown): boolean {
  return isObject(part) && isText(part.text);
}

function isSeal(item: JsonObject): boolean {
  return isAbsentOr(item.encrypted_content, isText);
}

function isUsage(usage: unknown): boolean {
  if (!isObject(usage) || !isCount(usage.input_tokens) || !isCount(usage.output_tokens)) return false;
  if (!isAbsentOr(usage.total_tokens, isCount)) return false;
  return [usage.input_tokens_details, usage.output_tokens_details].every((details) =>
    isAbsentOr(details, (told) => isObject(told) && Object.values(told).every((count) => isAbsentOr(count, isCount))),
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isAbsentOr(value: unknown, check: (value: unknown) => boolean): boolean {
  return value === undefined || value === null || check(value);
}

function all(list: unknown, check: (value: unknown) => boolean): boolean {
  return Array.isArray(list) && list.every(check);
}
