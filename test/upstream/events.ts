import { toDeltas } from "./deltas.ts";
import { asArray, asString, isObject, type JsonObject } from "./json.ts";

type Event = JsonObject & { type: string };

/** The events of a whole answer in upstream's order, from created to completed, with sequence numbers. */
export function toEvents(
  response: JsonObject,
  items: readonly JsonObject[],
  usage: JsonObject,
  fillOutput: boolean,
): Event[] {
  const running = { ...response, status: "in_progress", output: [], usage: null };
  const completed = {
    ...response,
    status: "completed",
    output: fillOutput ? items : [],
    usage,
    completed_at: response.created_at,
  };
  const events: Event[] = [
    { type: "response.created", response: running },
    { type: "response.in_progress", response: running },
    ...itemEvents(items),
    { type: "response.completed", response: completed },
  ];
  return events.map(({ type, ...rest }, sequence_number) => ({ type, sequence_number, ...rest }));
}

function itemEvents(items: readonly JsonObject[]): Event[] {
  const events: Event[] = [];
  for (let index = 0; index < items.length; ) {
    const group = parallelCalls(items, index);
    events.push(...interleave(group.map((item, offset) => eventsOf(item, index + offset))));
    index += group.length;
  }
  return events;
}

/** Function calls next to each other arrive at once; any other item alone. */
function parallelCalls(items: readonly JsonObject[], start: number): JsonObject[] {
  let end = start + 1;
  while (items[start]?.type === "function_call" && items[end]?.type === "function_call") end++;
  return items.slice(start, end);
}

function interleave(lanes: Event[][]): Event[] {
  const longest = Math.max(...lanes.map((lane) => lane.length));
  return Array.from({ length: longest }, (_, step) => lanes.flatMap((lane) => lane.slice(step, step + 1))).flat();
}

function eventsOf(item: JsonObject, output_index: number): Event[] {
  const place = { output_index, item_id: item.id };
  return [
    { type: "response.output_item.added", output_index, item: started(item) },
    ...bodyOf(item, place),
    { type: "response.output_item.done", output_index, item },
  ];
}

function started(item: JsonObject): JsonObject {
  const running = item.status === undefined ? {} : { status: "in_progress" };
  switch (item.type) {
    case "message":
      return { ...item, ...running, content: [] };
    case "reasoning":
      return { ...item, summary: [], ...(item.encrypted_content === undefined ? {} : { encrypted_content: "" }) };
    case "function_call":
      return { ...item, ...running, arguments: "" };
    case "custom_tool_call":
      return { ...item, ...running, input: "" };
    case "web_search_call":
      return { id: item.id, type: item.type, ...running };
    case "image_generation_call":
      return { id: item.id, type: item.type, ...running };
    case "compaction":
      return { ...item, encrypted_content: "" };
    default:
      return { ...item, ...running };
  }
}

function bodyOf(item: JsonObject, place: JsonObject): Event[] {
  switch (item.type) {
    case "message":
      return asArray(item.content)
        .filter(isObject)
        .flatMap((part, index) => partEvents(part, { ...place, content_index: index }));
    case "reasoning":
      return asArray(item.summary)
        .filter(isObject)
        .flatMap((part, index) => summaryEvents(part, { ...place, summary_index: index }));
    case "function_call":
      return stream("response.function_call_arguments", "arguments", asString(item.arguments), place, {
        name: item.name,
      });
    case "custom_tool_call":
      return stream("response.custom_tool_call_input", "input", asString(item.input), place, {});
    case "web_search_call":
      return ["in_progress", "searching", "completed"].map((step) => ({
        type: `response.web_search_call.${step}`,
        ...place,
      }));
    case "image_generation_call":
      return ["in_progress", "generating", "completed"].map((step) => ({
        type: `response.image_generation_call.${step}`,
        ...place,
      }));
    default:
      return [];
  }
}

function partEvents(part: JsonObject, place: JsonObject): Event[] {
  const refusal = part.type === "refusal";
  const empty = refusal
    ? { type: "refusal", refusal: "" }
    : { type: "output_text", annotations: [], logprobs: [], text: "" };
  const annotations = asArray(part.annotations).map((annotation, annotation_index) => ({
    type: "response.output_text.annotation.added",
    ...place,
    annotation_index,
    annotation,
  }));
  const text = refusal ? asString(part.refusal) : asString(part.text);
  return [
    { type: "response.content_part.added", ...place, part: empty },
    ...(refusal
      ? stream("response.refusal", "refusal", text, place, {})
      : insertBeforeLast(stream("response.output_text", "text", text, { ...place, logprobs: [] }, {}), annotations)),
    { type: "response.content_part.done", ...place, part },
  ];
}

function summaryEvents(part: JsonObject, place: JsonObject): Event[] {
  return [
    { type: "response.reasoning_summary_part.added", ...place, part: { type: "summary_text", text: "" } },
    ...stream("response.reasoning_summary_text", "text", asString(part.text), place, {}),
    { type: "response.reasoning_summary_part.done", ...place, part },
  ];
}

/** `<name>.delta` for each piece, then `<name>.done` with the whole under `field`. */
function stream(name: string, field: string, text: string, place: JsonObject, extra: JsonObject): Event[] {
  const deltas = toDeltas(text).map((delta) => ({
    type: `${name}.delta`,
    ...place,
    delta,
    obfuscation: obfuscate(delta),
  }));
  return [...deltas, { type: `${name}.done`, ...place, [field]: text, ...extra }];
}

/** Padding that hides a delta's length, as upstream sends by default. */
function obfuscate(delta: string): string {
  return "x7Qp2Lk9Wm4Zt8Rb".slice(0, 16 - (delta.length % 16));
}

function insertBeforeLast(events: Event[], inserted: Event[]): Event[] {
  return [...events.slice(0, -1), ...inserted, ...events.slice(-1)];
}
