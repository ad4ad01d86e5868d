import { isObject, type JsonObject } from "../json.ts";
import { DeltaShapes, type FrequentDelta } from "./delta-shape.ts";
import { checkEvent } from "./event-check.ts";
import { hideSecrets } from "./secrets.ts";

/** Token counts as the Responses API reports them. */
export interface ResponsesUsage {
  input_tokens: number;
  input_tokens_details?: { cached_tokens?: number; [key: string]: unknown };
  output_tokens: number;
  output_tokens_details?: { reasoning_tokens?: number; [key: string]: unknown };
  total_tokens: number;
  [key: string]: unknown;
}

/** One item of `response.output`. */
export type OutputItem =
  | {
      type: "message";
      id?: string;
      role: "assistant";
      status?: string;
      content: OutputPart[];
      phase?: string;
      [key: string]: unknown;
    }
  | {
      type: "function_call";
      id?: string;
      call_id: string;
      name: string;
      arguments: string;
      status?: string;
      [key: string]: unknown;
    }
  | {
      type: "custom_tool_call";
      id?: string;
      call_id: string;
      name: string;
      input: string;
      status?: string;
      [key: string]: unknown;
    }
  | {
      type: "reasoning";
      id?: string;
      summary: { type: "summary_text"; text: string }[];
      content?: { type: "reasoning_text"; text: string }[] | null;
      encrypted_content?: string | null;
      [key: string]: unknown;
    }
  | { type: "web_search_call"; id?: string; status?: string; action?: JsonObject; [key: string]: unknown }
  | { type: "image_generation_call"; id?: string; status?: string; result?: string | null; [key: string]: unknown }
  | { type: "compaction"; id?: string; encrypted_content: string; [key: string]: unknown };

export type OutputPart =
  | { type: "output_text"; text: string; annotations?: JsonObject[]; logprobs?: unknown[]; [key: string]: unknown }
  | { type: "refusal"; refusal: string; [key: string]: unknown };

/** The `response` object inside lifecycle events; upstream may leave out almost everything but `id`. */
export interface ResponseObject {
  id: string;
  status?: "queued" | "in_progress" | "completed" | "failed" | "incomplete" | "cancelled";
  model?: string;
  output?: OutputItem[];
  usage?: ResponsesUsage | null;
  error?: UpstreamErrorObject | null;
  incomplete_details?: { reason?: string } | null;
  created_at?: number;
  service_tier?: string | null;
  /** Set by `canonical/limit.ts` only, never on the wire: the stop string at which the text was cut. */
  local_stop?: string;
  [key: string]: unknown;
}

/** Error object of `error` events, `response.failed` and HTTP error bodies. */
export interface UpstreamErrorObject {
  type?: string | null;
  code?: string | null;
  message?: string | null;
  param?: string | null;
  [key: string]: unknown;
}

/**
 * The upstream stream events that translators act on (https://platform.openai.com/docs/api-reference/responses-streaming).
 * Others exist and are passed on (responses) or ignored (chat, messages), never an error: see `readEvent`.
 */
export type CanonicalEvent =
  | { type: "response.created" | "response.in_progress" | "response.queued"; response: ResponseObject }
  | { type: "response.output_item.added"; output_index: number; item: OutputItem }
  | { type: "response.output_item.done"; output_index: number; item: OutputItem }
  | {
      type: "response.content_part.added";
      output_index: number;
      content_index: number;
      item_id?: string;
      part: OutputPart;
    }
  | {
      type: "response.content_part.done";
      output_index: number;
      content_index: number;
      item_id?: string;
      part: OutputPart;
    }
  | { type: "response.output_text.delta"; output_index: number; content_index: number; item_id?: string; delta: string }
  | { type: "response.output_text.done"; output_index: number; content_index: number; item_id?: string; text: string }
  | {
      type: "response.output_text.annotation.added";
      output_index: number;
      content_index: number;
      annotation_index: number;
      item_id?: string;
      annotation: JsonObject;
    }
  | { type: "response.refusal.delta"; output_index: number; content_index: number; item_id?: string; delta: string }
  | { type: "response.refusal.done"; output_index: number; content_index: number; item_id?: string; refusal: string }
  | { type: "response.function_call_arguments.delta"; output_index: number; item_id?: string; delta: string }
  | { type: "response.function_call_arguments.done"; output_index: number; item_id?: string; arguments: string }
  | { type: "response.custom_tool_call_input.delta"; output_index: number; item_id?: string; delta: string }
  | { type: "response.custom_tool_call_input.done"; output_index: number; item_id?: string; input: string }
  | {
      type: "response.reasoning_summary_part.added";
      output_index: number;
      summary_index: number;
      item_id?: string;
      part: JsonObject;
    }
  | {
      type: "response.reasoning_summary_part.done";
      output_index: number;
      summary_index: number;
      item_id?: string;
      part: JsonObject;
    }
  | {
      type: "response.reasoning_summary_text.delta";
      output_index: number;
      summary_index: number;
      item_id?: string;
      delta: string;
    }
  | {
      type: "response.reasoning_summary_text.done";
      output_index: number;
      summary_index: number;
      item_id?: string;
      text: string;
    }
  | {
      type: "response.reasoning_text.delta";
      output_index: number;
      content_index: number;
      item_id?: string;
      delta: string;
    }
  | {
      type: "response.reasoning_text.done";
      output_index: number;
      content_index: number;
      item_id?: string;
      text: string;
    }
  | {
      type:
        | "response.web_search_call.in_progress"
        | "response.web_search_call.searching"
        | "response.web_search_call.completed";
      output_index: number;
      item_id?: string;
    }
  | { type: "response.completed" | "response.incomplete" | "response.failed"; response: ResponseObject }
  | {
      type: "error";
      error?: UpstreamErrorObject;
      code?: string | null;
      message?: string | null;
      param?: string | null;
    };

const TERMINAL = new Set(["response.completed", "response.incomplete", "response.failed", "error"]);

/** True for the event types after which upstream sends nothing more. */
export function isTerminal(type: string): boolean {
  return TERMINAL.has(type);
}

const CLOSING_BRACE = 125;
const TYPE_PREFIX = '{"type":"';

/**
 * Types that make up nearly all events, by how their texts begin. A type that is cut out of a text is a string of its own,
 * which every comparison reads to its end.
 */
const FREQUENT = (
  [
    "response.output_text.delta",
    "response.function_call_arguments.delta",
    "response.reasoning_summary_text.delta",
  ] satisfies FrequentDelta[]
).map((type) => ({ type, head: `${TYPE_PREFIX}${type}"`, shapes: new DeltaShapes(type) }));

/**
 * One upstream event on its way through the hot path: the type is read by position and the JSON is parsed on first use
 * of `value`, so that an event which is only passed on is never parsed.
 */
export class UpstreamEvent {
  readonly type: string;
  /** The event's JSON text, without the `data:` field name. */
  readonly data: string;
  /** A frequent delta that was read by its shape: it has all the fields that `CanonicalEvent` names. */
  readonly shaped: boolean;
  #value: CanonicalEvent | undefined;

  constructor(data: string, type: string, value?: CanonicalEvent, shaped = false) {
    this.data = data;
    this.type = type;
    this.shaped = shaped;
    this.#value = value;
  }

  /**
   * The event's fields, checked by `checkEvent`; a frequent delta's as far as `CanonicalEvent` has them.
   * @throws ProxyError when a field is not of its type.
   */
  get value(): CanonicalEvent {
    this.#value ??= parseEvent(this.data);
    return this.#value;
  }
}

/**
 * Parses the JSON text of an event.
 * @throws ProxyError when a field is not of its type.
 */
export function parseEvent(data: string): CanonicalEvent {
  const value = JSON.parse(data) as JsonObject;
  checkEvent(value);
  return value as unknown as CanonicalEvent;
}

/** Events that tell an error of upstream's: they are shown, logged and passed on. */
const FAILURES = new Set(["response.failed", "error"]);

/**
 * Reads one SSE `data` text. Undefined for what is no event: `[DONE]`, JSON without a `type`.
 * @throws SyntaxError when the text is not JSON.
 */
export function readEvent(data: string): UpstreamEvent | undefined {
  for (const { type, shapes } of FREQUENT) {
    const value = shapes.read(data);
    if (value !== undefined) return new UpstreamEvent(data, type, value, true);
  }
  // A text that breaks off is refused here, since an event that is only passed on is never parsed.
  if (data.charCodeAt(data.length - 1) === CLOSING_BRACE && data.startsWith(TYPE_PREFIX) && !data.includes("\n")) {
    for (const { type, head, shapes } of FREQUENT) {
      if (!data.startsWith(head)) continue;
      shapes.learn(data);
      return new UpstreamEvent(data, type);
    }
    const end = data.indexOf('"', TYPE_PREFIX.length);
    const type = data.slice(TYPE_PREFIX.length, end);
    if (end > 0) return new UpstreamEvent(FAILURES.has(type) ? hideSecrets(data) : data, type);
  }
  if (data === "[DONE]" || data.trim() === "") return undefined;
  const value: unknown = JSON.parse(data);
  if (!isObject(value) || typeof value.type !== "string") return undefined;
  // An event that came in several lines leaves in one.
  const text = data.startsWith("{") && !data.includes("\n") ? data : JSON.stringify(value);
  if (FAILURES.has(value.type)) return new UpstreamEvent(hideSecrets(text), value.type);
  checkEvent(value);
  return new UpstreamEvent(text, value.type, value as unknown as CanonicalEvent);
}

/** An event made here rather than read: by a local limit, a demo answer or a test. */
export function makeEvent(value: CanonicalEvent): UpstreamEvent {
  return new UpstreamEvent(JSON.stringify(value), value.type, value);
}
