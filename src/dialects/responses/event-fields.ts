import { type OutputPart, parseEvent, type UpstreamEvent } from "../../canonical/event.ts";
import { isObject, type JsonObject } from "../../json.ts";
import { completePart } from "./vocabulary.ts";

type Fields = readonly (readonly [search: string, name: string, value: unknown])[];

const field = (name: string, value: unknown) => [`"${name}":`, name, value] as const;
/** A field that upstream never leaves out: found as text of its type, else the event is parsed, which checks it. */
const sent = (name: string, opening: string) => [`"${name}":${opening}`, name, undefined] as const;
const delta = sent("delta", '"');
const text = sent("text", '"');
const part = sent("part", "{");
const place: Fields = [field("item_id", undefined)];
const ALWAYS_LOOKED_AT: Fields = [delta];
const HAS_INDEX = /"output_index":\d/;
const inContent: Fields = [...place, field("content_index", 0)];
const inText: Fields = [...inContent, field("logprobs", [])];
const inPart: Fields = [...inContent, field("annotations", undefined), field("logprobs", undefined)];
const inSummary: Fields = [...place, field("summary_index", 0)];

/** Fields that OpenAI's schema requires of the events whose bodies upstream may leave incomplete. */
const REQUIRED: Readonly<Record<string, Fields>> = {
  "response.output_text.delta": [...inText, delta],
  "response.output_text.done": [...inText, text],
  "response.output_text.annotation.added": [...inContent, field("annotation_index", 0)],
  "response.content_part.added": [...inPart, part],
  "response.content_part.done": [...inPart, part],
  "response.refusal.delta": [...inContent, delta],
  "response.refusal.done": [...inContent, sent("refusal", '"')],
  "response.reasoning_text.delta": [...inContent, delta],
  "response.reasoning_text.done": [...inContent, text],
  "response.reasoning_summary_part.added": [...inSummary, part],
  "response.reasoning_summary_part.done": [...inSummary, part],
  "response.reasoning_summary_text.delta": [...inSummary, delta],
  "response.reasoning_summary_text.done": [...inSummary, text],
  "response.function_call_arguments.delta": [...place, delta],
  "response.function_call_arguments.done": [...place, field("name", undefined), sent("arguments", '"')],
  "response.custom_tool_call_input.delta": [...place, delta],
  "response.custom_tool_call_input.done": [...place, sent("input", '"')],
  "response.web_search_call.in_progress": place,
  "response.web_search_call.searching": place,
  "response.web_search_call.completed": place,
};

/** The item that an event without its own place belongs to. */
export interface EventPlace {
  outputIndex(): number;
  itemId(outputIndex: number): string;
  /** Name of the function that the item calls. */
  itemName(outputIndex: number): string;
}

/**
 * Gives the events of one stream as JSON texts with every field that the schema requires. Absence is told by searching the
 * text; only an event that lacks something is parsed and written anew. Upstream writes all deltas of one type alike, so
 * once one has had every field, of those after it only what a client's text is made of is looked at.
 */
export function createEventCompleter(place: EventPlace): (event: UpstreamEvent) => string {
  const whole = new Set<string>();
  return (event) => {
    const { type, data } = event;
    const isKnown = whole.has(type);
    if (isKnown && event.shaped) return data;
    const fields = isKnown ? ALWAYS_LOOKED_AT : REQUIRED[type];
    if (!fields) return data;
    const isWhole = HAS_INDEX.test(data) && fields.every(([search]) => data.includes(search));
    if (!isWhole) {
      const value = parseEvent(data) as unknown as JsonObject;
      return JSON.stringify(fill(value, REQUIRED[type] ?? [], place));
    }
    if (type.endsWith(".delta")) whole.add(type);
    return data;
  };
}

function fill(value: JsonObject, fields: Fields, place: EventPlace): JsonObject {
  const complete: JsonObject = { ...value };
  complete.output_index ??= place.outputIndex();
  complete.item_id ??= place.itemId(complete.output_index as number);
  for (const [, name, fallback] of fields) if (fallback !== undefined) complete[name] ??= fallback;
  if (fields.some(([, name]) => name === "name")) complete.name ??= place.itemName(complete.output_index as number);
  if (isObject(complete.part)) complete.part = completePart(complete.part as unknown as OutputPart);
  return complete;
}
