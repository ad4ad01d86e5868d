import type { CanonicalEvent, OutputItem } from "../canonical/event.ts";
import { isObject, type JsonObject } from "../json.ts";
import { sampleOf } from "./schema-sample.ts";

/**
 * What the demo answers to one Responses body.
 * @param base makes the items' ids unlike those of every other answer.
 */
function demoItems(body: JsonObject, base: string): OutputItem[] {
  const message = (text: string): OutputItem => messageItem(text, `msg_${base}`);
  const input = Array.isArray(body.input) ? body.input.filter(isObject) : [];
  const tools = toolsOf(body, input);
  const last = input.at(-1);
  if (last?.type === "compaction_trigger")
    return [{ type: "compaction", id: `cmp_${base}`, encrypted_content: "demo" }];
  const results = input.filter(
    (item) => item.type === "function_call_output" || item.type === "custom_tool_call_output",
  );
  const answered = last !== undefined && results.includes(last);
  const ask = lastUserText(input);
  const tool = answered ? undefined : fitting(tools, ask, body.tool_choice);
  if (tool) return [callOf(tool, base)];
  if (answered) return [message(`The tool answered: ${textOf(last.output)}`)];
  const format = isObject(body.text) && isObject(body.text.format) ? body.text.format : undefined;
  if (format?.type === "json_schema") return [message(JSON.stringify(sampleOf(format.schema)))];
  if (format?.type === "json_object") return [message(JSON.stringify({ answer: "demo" }))];
  const images = partsOf(input).filter((part) => part.type === "input_image");
  if (images.length > 0) return [message(images.map(describe).join(" "))];
  return [message(`Hello from the offline demo of codex-api-proxy. You said: ${ask.slice(0, 500)}`)];
}

/** The events of one answer, in upstream's order. */
export function* demoEvents(body: JsonObject, id: string, createdAt: number): Generator<CanonicalEvent> {
  const items = demoItems(body, id.replace(/^resp_/, ""));
  const base = { id, object: "response", created_at: createdAt, model: String(body.model), store: false };
  yield { type: "response.created", response: { ...base, status: "in_progress", output: [] } };
  yield { type: "response.in_progress", response: { ...base, status: "in_progress", output: [] } };
  let said = "";
  for (const [output_index, item] of items.entries()) {
    said += yield* itemEvents(item, output_index);
  }
  const input_tokens = Math.ceil(JSON.stringify(body.input).length / 4);
  const output_tokens = Math.max(1, Math.ceil(said.length / 4));
  const usage = {
    input_tokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input_tokens + output_tokens,
  };
  yield { type: "response.completed", response: { ...base, status: "completed", output: [], usage } };
}

function* itemEvents(item: OutputItem, output_index: number): Generator<CanonicalEvent, string> {
  const item_id = String(item.id);
  if (item.type === "function_call") {
    yield { type: "response.output_item.added", output_index, item: { ...item, arguments: "", status: "in_progress" } };
    for (const delta of pieces(item.arguments))
      yield { type: "response.function_call_arguments.delta", output_index, item_id, delta };
    yield { type: "response.function_call_arguments.done", output_index, item_id, arguments: item.arguments };
    yield { type: "response.output_item.done", output_index, item };
    return item.arguments;
  }
  if (item.type === "custom_tool_call") {
    yield { type: "response.output_item.added", output_index, item: { ...item, input: "", status: "in_progress" } };
    for (const delta of pieces(item.input))
      yield { type: "response.custom_tool_call_input.delta", output_index, item_id, delta };
    yield { type: "response.custom_tool_call_input.done", output_index, item_id, input: item.input };
    yield { type: "response.output_item.done", output_index, item };
    return item.input;
  }
  if (item.type === "compaction") yield { type: "response.output_item.done", output_index, item };
  if (item.type !== "message") return "";
  const part = item.content[0];
  if (part?.type !== "output_text") return "";
  const place = { output_index, content_index: 0, item_id };
  yield { type: "response.output_item.added", output_index, item: { ...item, content: [], status: "in_progress" } };
  yield { type: "response.content_part.added", ...place, part: { ...part, text: "" } };
  for (const delta of pieces(part.text)) yield { type: "response.output_text.delta", ...place, delta };
  yield { type: "response.output_text.done", ...place, text: part.text };
  yield { type: "response.content_part.done", ...place, part };
  yield { type: "response.output_item.done", output_index, item };
  return part.text;
}

/** Words with the space before them. */
const pieces = (text: string): string[] => text.match(/\s*\S+|\s+$/g) ?? [];

const messageItem = (text: string, id: string): OutputItem => ({
  type: "message",
  id,
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text, annotations: [], logprobs: [] }],
});

/** Classic bodies list tools at the top, lite ones in the first input item. */
function toolsOf(body: JsonObject, input: readonly JsonObject[]): JsonObject[] {
  const lite = input[0]?.type === "additional_tools" ? input[0].tools : undefined;
  const all = Array.isArray(body.tools) ? body.tools : Array.isArray(lite) ? lite : [];
  return all.filter(isObject).filter((tool) => tool.type === "function" || tool.type === "custom");
}

/** The tool that the request asks for: a forced one, or one whose name or a word of it the user says. */
function fitting(tools: readonly JsonObject[], ask: string, choice: unknown): JsonObject | undefined {
  if (choice === "none") return undefined;
  if (isObject(choice)) {
    const forced = tools.find((tool) => tool.name === choice.name);
    if (forced) return forced;
  }
  if (choice === "required") return tools[0];
  const words = new Set(ask.toLowerCase().match(/[a-z]{3,}/g) ?? []);
  return tools.find((tool) => wordsOf(String(tool.name)).some((word) => words.has(word)));
}

const wordsOf = (name: string): string[] =>
  name
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .match(/[a-z]{3,}/g) ?? [];

function callOf(tool: JsonObject, base: string): OutputItem {
  const common = { call_id: `call_${base}`, name: String(tool.name), status: "completed" };
  if (tool.type === "custom") return { type: "custom_tool_call", id: `ctc_${base}`, ...common, input: "demo" };
  return {
    type: "function_call",
    id: `fc_${base}`,
    ...common,
    arguments: JSON.stringify(sampleOf(tool.parameters ?? {})),
  };
}

function lastUserText(input: readonly JsonObject[]): string {
  const user = input.findLast((item) => item.role === "user");
  return user ? textOf(user.content) : "";
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => (isObject(part) && typeof part.text === "string" ? part.text : "")).join("");
}

const partsOf = (input: readonly JsonObject[]): JsonObject[] =>
  input.flatMap((item) =>
    [item.content, item.output].flatMap((list) => (Array.isArray(list) ? list.filter(isObject) : [])),
  );

function describe(part: JsonObject): string {
  const url = String(part.image_url ?? "");
  const match = /^data:([^;,]+);base64,(.*)$/s.exec(url);
  if (!match) return `An image at ${url.slice(0, 200)}.`;
  const data = match[2] ?? "";
  const bytes = Math.floor((data.length * 3) / 4) - (data.endsWith("==") ? 2 : data.endsWith("=") ? 1 : 0);
  return `An image of type ${match[1]} with ${bytes} bytes.`;
}
