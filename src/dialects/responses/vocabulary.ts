import type { OutputItem, OutputPart, ResponsesUsage } from "../../canonical/event.ts";
import type { JsonObject } from "../../json.ts";

/** Prefix of an item id, by item type, as OpenAI gives them out. */
const PREFIXES: Readonly<Record<string, string>> = {
  message: "msg",
  reasoning: "rs",
  function_call: "fc",
  function_call_output: "fco",
  custom_tool_call: "ctc",
  custom_tool_call_output: "ctco",
  web_search_call: "ws",
  image_generation_call: "ig",
  file_search_call: "fs",
  code_interpreter_call: "ci",
  computer_call: "cu",
  mcp_call: "mcp",
  compaction: "cmp",
  additional_tools: "at",
};

/**
 * Id of an item that came without one.
 * @param base unique in the process, the same for every event of one answer.
 */
export function makeItemId(type: string, base: string, index: number): string {
  return `${PREFIXES[type] ?? "item"}_${base}_${index}`;
}

/** An answer's id: upstream's own where it is one, so that logs on both sides agree. */
export function answerId(upstreamId: string | undefined, base: string): string {
  return upstreamId !== undefined && /^resp_[\w-]{1,59}$/.test(upstreamId) ? upstreamId : `resp_${base}`;
}

/** Fields that OpenAI's schema requires and upstream may leave out, by item type; filled in when they are absent. */
const REQUIRED: Readonly<Record<string, (done: boolean) => JsonObject>> = {
  message: (done) => ({ status: statusOf(done), role: "assistant", content: [] }),
  function_call: (done) => ({ status: statusOf(done), arguments: "" }),
  custom_tool_call: (done) => ({ status: statusOf(done), input: "" }),
  function_call_output: (done) => ({ status: statusOf(done), output: "" }),
  custom_tool_call_output: (done) => ({ status: statusOf(done), output: "" }),
  reasoning: () => ({ summary: [] }),
  web_search_call: (done) => ({ status: statusOf(done), action: { type: "search", query: "" } }),
  image_generation_call: (done) => ({ status: statusOf(done), result: null }),
};

/** Items of which the schema leaves fields out where upstream may say null. */
const NULL_FREE = new Set(["message", "reasoning", "function_call", "custom_tool_call"]);

/**
 * An output item with every field that the schema requires. Gives the same object when nothing is missing.
 * @param id used where the item has none.
 */
export function completeItem(item: OutputItem, id: string, done: boolean): OutputItem {
  const added: JsonObject = item.id ? {} : { id };
  for (const [name, value] of Object.entries(REQUIRED[item.type]?.(done) ?? {})) {
    if ((item[name] ?? value) !== item[name]) added[name] = value;
  }
  if (item.type === "message" && Array.isArray(item.content)) {
    const content = item.content.map(completePart);
    if (content.some((part, index) => part !== item.content[index])) added.content = content;
  }
  const empty = NULL_FREE.has(item.type) ? Object.keys(item).filter((name) => item[name] === null) : [];
  if (Object.keys(added).length === 0 && empty.length === 0) return item;
  const complete: JsonObject = { ...item, ...added };
  for (const name of empty) if (!(name in added)) delete complete[name];
  return complete as OutputItem;
}

/** An output part with its lists; the same object when it has them. */
export function completePart(part: OutputPart): OutputPart {
  if (part.type !== "output_text" || (part.annotations && part.logprobs)) return part;
  return { ...part, annotations: part.annotations ?? [], logprobs: part.logprobs ?? [] };
}

/** Usage with its details. Zeros stand for "nothing counted yet": the schema has no null for it. */
export function completeUsage(usage: ResponsesUsage | null | undefined): ResponsesUsage {
  return {
    ...usage,
    input_tokens: usage?.input_tokens ?? 0,
    input_tokens_details: { cache_write_tokens: 0, cached_tokens: 0, ...usage?.input_tokens_details },
    output_tokens: usage?.output_tokens ?? 0,
    output_tokens_details: { reasoning_tokens: 0, ...usage?.output_tokens_details },
    total_tokens: usage?.total_tokens ?? (usage ? usage.input_tokens + usage.output_tokens : 0),
  };
}

function statusOf(done: boolean): string {
  return done ? "completed" : "in_progress";
}
