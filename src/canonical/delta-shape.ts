import { isObject } from "../json.ts";
import type { CanonicalEvent } from "./event.ts";

/** The types of delta that make up nearly all events of a stream. */
export type FrequentDelta =
  | "response.output_text.delta"
  | "response.function_call_arguments.delta"
  | "response.reasoning_summary_text.delta";

type DeltaEvent = Extract<CanonicalEvent, { type: FrequentDelta }>;

/** JSON texts of values: what stands between a string's quotes, its escapes all legal; an index as `checkEvent` takes it. */
const INSIDE = String.raw`[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*`;
const PLAIN = String.raw`[^"\\\x00-\x1f]*`;
const COUNT = String.raw`(?:0|[1-9]\d*)`;
const INDEX = String.raw`(0|[1-9]\d{0,3})`;
const NAME = /^[a-z_]{1,40}$/;
/** So many ways of writing one type of event are remembered; upstream has one, at times two. */
const MOST_SHAPES = 4;
/** … and after so many texts that are of no shape no more are looked at. */
const MOST_TRIES = 32;

/** Longer texts are parsed, UTF-16 units: a pattern may keep a place to go back to for each escape. */
const LONGEST = 16 * 1024;

/** Fields that are read, as groups of a pattern; all others only have to be JSON. */
const READ: Readonly<Record<ReadField, string>> = {
  item_id: `"(${PLAIN})"`,
  output_index: INDEX,
  content_index: INDEX,
  summary_index: INDEX,
  delta: `"(${INSIDE})"`,
};

type ReadField = "item_id" | "output_index" | "content_index" | "summary_index" | "delta";

/** A pattern that matches the texts of events with the same fields in the same order, and its groups; 0: no such field. */
interface Shape extends Record<ReadField, number> {
  readonly pattern: RegExp;
}

/**
 * Reads delta events by the shape of earlier ones: a text that matches has the same fields, is valid JSON, and passes
 * `checkEvent`; one pattern costs a fifth of parsing it. Holds field names only, nothing of any answer.
 */
export class DeltaShapes {
  readonly #type: FrequentDelta;
  readonly #shapes: Shape[] = [];
  #tries = 0;

  constructor(type: FrequentDelta) {
    this.#type = type;
  }

  /** The event's fields as `CanonicalEvent` names them; undefined when it must be parsed. */
  read(data: string): DeltaEvent | undefined {
    if (data.length > LONGEST) return undefined;
    for (const shape of this.#shapes) {
      const match = shape.pattern.exec(data);
      if (match !== null) return toEvent(this.#type, match, shape);
    }
    return undefined;
  }

  /** Remembers how an event of this type is written. */
  learn(data: string): void {
    if (data.length > LONGEST || this.#tries >= MOST_TRIES || this.#shapes.length >= MOST_SHAPES) return;
    this.#tries++;
    const shape = shapeOf(data);
    if (shape === undefined || !NEEDED[this.#type].every((name) => shape[name] > 0) || !shape.pattern.test(data))
      return;
    this.#shapes.push(shape);
  }
}

const NEEDED: Readonly<Record<FrequentDelta, readonly ReadField[]>> = {
  "response.output_text.delta": ["delta", "item_id", "output_index", "content_index"],
  "response.function_call_arguments.delta": ["delta", "item_id", "output_index"],
  "response.reasoning_summary_text.delta": ["delta", "item_id", "output_index", "summary_index"],
};

/** Undefined for an event that has more than plain fields, and for what is none. */
function shapeOf(data: string): Shape | undefined {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    // Told where the event is read.
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const groups = { item_id: 0, output_index: 0, content_index: 0, summary_index: 0, delta: 0 };
  const fields: string[] = [];
  let read = 0;
  for (const [name, field] of Object.entries(value)) {
    const text = isRead(name) ? READ[name] : textOf(name, field);
    if (text === undefined || !NAME.test(name)) return undefined;
    if (isRead(name)) groups[name] = ++read;
    fields.push(`"${name}":${text}`);
  }
  return { pattern: new RegExp(`^\\{${fields.join(",")}\\}$`), ...groups };
}

function isRead(name: string): name is ReadField {
  return Object.hasOwn(READ, name);
}

function textOf(name: string, field: unknown): string | undefined {
  if (name === "type") return `"${String(field).replaceAll(".", "\\.")}"`;
  if (typeof field === "string") return `"${INSIDE}"`;
  if (typeof field === "number") return COUNT;
  if (field === null) return "null";
  return Array.isArray(field) && field.length === 0 ? "\\[\\]" : undefined;
}

function toEvent(type: FrequentDelta, match: RegExpExecArray, shape: Shape): DeltaEvent {
  const item_id = match[shape.item_id] as string;
  const output_index = Number(match[shape.output_index]);
  const text = match[shape.delta] as string;
  const delta = text.includes("\\") ? (JSON.parse(`"${text}"`) as string) : text;
  switch (type) {
    case "response.output_text.delta":
      return { type, item_id, output_index, content_index: Number(match[shape.content_index]), delta };
    case "response.function_call_arguments.delta":
      return { type, item_id, output_index, delta };
    case "response.reasoning_summary_text.delta":
      return { type, item_id, output_index, summary_index: Number(match[shape.summary_index]), delta };
  }
}
