import { ProxyError } from "../errors.ts";
import {
  type CanonicalEvent,
  type OutputItem,
  type OutputPart,
  parseEvent,
  type ResponseObject,
  type UpstreamEvent,
} from "./event.ts";
import { failureOfEvent } from "./failure.ts";
import type { CanonicalResponse } from "./response.ts";

/** Folds a stream of upstream events into one answer. */
export interface Collector {
  push(event: UpstreamEvent): void;
  /**
   * The answer, once the stream has ended.
   * @throws ProxyError what upstream said went wrong, or `upstream_protocol` when it ended without a terminal event.
   */
  finish(): CanonicalResponse;
}

/** Characters of deltas that are kept as they came; a long answer's would be many times its text. */
const MAX_DELTA_LENGTH = 512 * 1024;
/** Deltas that are kept as events: as one text they take a fraction, and no garbage collection has to walk them. */
const MAX_DELTA_EVENTS = 64;
/** Stands between the deltas of one text; no JSON text contains it. */
const SEPARATOR = "\0";

/**
 * `response.completed` often carries an empty `output`, so the items are gathered from their own events. An item
 * that was never finished is kept as far as its deltas told it: an answer cut short still has its text.
 */
export function createCollector(): Collector {
  const items: OutputItem[] = [];
  const finished = new Set<number>();
  // Parsed only for an item that upstream does not finish: the finished one holds it all.
  let deltas: string[] = [];
  let joined: string[] = [];
  let deltaLength = 0;
  /** Unfinished items that are copies of ours already. */
  const copied = new Set<number>();
  let created: UpstreamEvent | undefined;
  let response: ResponseObject | undefined;
  let failure: ProxyError | undefined;
  let ended = false;

  const hasOpenEnd = (): boolean => items.length > 0 && !finished.has(items.length - 1);

  /** Puts the deltas into copies of the items that they belong to, whose text is a fraction of theirs. */
  function fold(): void {
    items.forEach((item, index) => {
      if (finished.has(index) || copied.has(index)) return;
      items[index] = structuredClone(item);
      copied.add(index);
    });
    appendAll(items, allDeltas(), (index) => !finished.has(index));
    dropDeltas();
  }

  function allDeltas(): string[] {
    return [...joined.flatMap((text) => text.split(SEPARATOR)), ...deltas];
  }

  function dropDeltas(): void {
    joined = [];
    deltas = [];
    deltaLength = 0;
  }

  return {
    push(event) {
      switch (event.type) {
        case "response.created":
          // The terminal event tells it all again, nearly always: parsed only where that does not.
          created = event;
          return;
        case "response.completed":
        case "response.incomplete":
        case "response.failed":
        case "error": {
          const value = event.value;
          failure ??= failureOfEvent(value);
          if ("response" in value) response = { ...startOf(value.response, created), ...value.response };
          if (event.type === "response.incomplete" && response) response.status = "incomplete";
          ended = true;
          return;
        }
        case "response.output_item.added":
        case "response.output_item.done": {
          const value = event.value;
          if (value.type !== "response.output_item.added" && value.type !== "response.output_item.done") return;
          const isDone = value.type === "response.output_item.done";
          // Some streams leave the index out: their items come in order, one finished before the next.
          const index = value.output_index ?? items.length - (isDone && hasOpenEnd() ? 1 : 0);
          if (isDone) finished.add(index);
          items[index] = value.item;
          copied.delete(index);
          if (items.every((_, each) => finished.has(each))) dropDeltas();
          return;
        }
        case "response.output_text.delta":
        case "response.refusal.delta":
        case "response.function_call_arguments.delta":
        case "response.custom_tool_call_input.delta":
          deltas.push(event.data);
          deltaLength += event.data.length;
          if (deltas.length >= MAX_DELTA_EVENTS) {
            joined.push(deltas.join(SEPARATOR));
            deltas = [];
          }
          if (deltaLength > MAX_DELTA_LENGTH) fold();
      }
    },
    finish() {
      if (failure) throw failure;
      if (!ended || !response) {
        throw new ProxyError(
          "upstream_protocol",
          "upstream closed the stream before the answer was complete; send the request again",
        );
      }
      const told = response.output ?? [];
      // An unfinished item has what its deltas told, and the event that began it is not ours to change.
      const own = (item: OutputItem, index: number) => (copied.has(index) ? item : structuredClone(item));
      const begun = items.map((item, index) => (finished.has(index) ? item : (told[index] ?? own(item, index))));
      appendAll(begun, allDeltas(), (index) => !finished.has(index) && told[index] === undefined);
      const output = items.length === 0 ? told : begun;
      const status = response.status === "incomplete" || response.incomplete_details ? "incomplete" : "completed";
      return { ...response, status, output: output.filter((item) => item !== undefined) };
    },
  };
}

/** What the answer's first event told of it, for a terminal event that leaves it out. */
function startOf(response: ResponseObject, created: UpstreamEvent | undefined): ResponseObject | undefined {
  if (created === undefined || (response.model !== undefined && response.created_at !== undefined)) return undefined;
  return "response" in created.value ? created.value.response : undefined;
}

type Delta = Extract<CanonicalEvent, { delta: string }>;

/**
 * Adds deltas, JSON texts of events, to those of their items that are unfinished. Neighbours of one place go in as one text:
 * each by itself would stay a piece of its own inside the item's.
 */
function appendAll(items: OutputItem[], deltas: readonly string[], isUnfinished: (index: number) => boolean): void {
  let run: Delta | undefined;
  let pieces: string[] = [];
  for (const data of deltas) {
    const value = parseEvent(data);
    if (!("delta" in value) || !isUnfinished(value.output_index)) continue;
    if (run && !isSamePlace(run, value)) {
      append(items, run, pieces.join(""));
      pieces = [];
    }
    run = value;
    pieces.push(value.delta);
  }
  if (run) append(items, run, pieces.join(""));
}

function isSamePlace(one: Delta, other: Delta): boolean {
  const part = (delta: Delta) => ("content_index" in delta ? delta.content_index : undefined);
  return one.type === other.type && one.output_index === other.output_index && part(one) === part(other);
}

function append(items: OutputItem[], place: Delta, text: string): void {
  const item = items[place.output_index];
  if (!item) return;
  if (place.type === "response.function_call_arguments.delta" && item.type === "function_call") item.arguments += text;
  else if (place.type === "response.custom_tool_call_input.delta" && item.type === "custom_tool_call")
    item.input += text;
  else if (item.type === "message" && "content_index" in place) {
    const part = partAt(item.content, place.content_index, place.type === "response.refusal.delta");
    if (part.type === "output_text") part.text += text;
    else part.refusal += text;
  }
}

function partAt(content: OutputPart[], index: number, refusal: boolean): OutputPart {
  const known = content[index];
  if (known) return known;
  const fresh: OutputPart = refusal
    ? { type: "refusal", refusal: "" }
    : { type: "output_text", text: "", annotations: [] };
  content[index] = fresh;
  return fresh;
}
