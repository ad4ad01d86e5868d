import {
  isTerminal,
  makeEvent,
  type OutputItem,
  type OutputPart,
  parseEvent,
  type ResponsesUsage,
  type UpstreamEvent,
} from "./event.ts";

/** What the proxy honours itself because upstream refuses it. */
export interface LocalLimits {
  readonly stop: readonly string[];
  /** Tokens of visible output, text and tool arguments; reasoning is upstream's own affair. */
  readonly maxOutputTokens: number | undefined;
}

export interface LimitTools {
  /** The limit comes into reach: counts will be asked for. */
  prepare(): void;
  count(text: string): number;
  truncate(text: string, tokens: number): string;
  /** Input tokens to report when upstream is cancelled before it tells. */
  inputTokens(): number;
}

/** A stage between upstream's events and an encoder; after `done` upstream is to be cancelled. */
export interface Limiter {
  push(event: UpstreamEvent, emit: (event: UpstreamEvent) => void): void;
  done(): boolean;
}

/**
 * Cuts an answer at a stop string or at a token limit exactly as the API would: the text before it goes out, the open
 * items are closed, and a terminal event with true usage of what was shown follows. A stop string may span deltas, so
 * as much of the text's end as could begin one is held back until the next delta decides.
 */
export function createLimiter(limits: LocalLimits, tools: LimitTools): Limiter {
  const stops = limits.stop.filter((stop) => stop !== "");
  const budget = createBudget(limits.maxOutputTokens, tools);
  const open = new Map<number, OutputItem>();
  const closed: OutputItem[] = [];
  let response = { id: "" };
  let held = "";
  let heldFor: UpstreamEvent | undefined;
  let done = false;

  /** Text that may go out now; undefined rest means that the answer ends here. */
  function admit(text: string, final: boolean): { out: string; stop?: string; full?: boolean } {
    const joined = held + text;
    // The stop string that is complete first wins, so that the cut does not depend on how the text was split.
    let at = -1;
    let found: string | undefined;
    for (const stop of stops) {
      const index = joined.indexOf(stop);
      if (index < 0) continue;
      const sooner = found === undefined ? 1 : at + found.length - (index + stop.length) || at - index;
      if (sooner > 0) {
        at = index;
        found = stop;
      }
    }
    const clear =
      found !== undefined
        ? joined.slice(0, at)
        : final
          ? joined
          : joined.slice(0, joined.length - overlap(joined, stops));
    held = found !== undefined ? "" : joined.slice(clear.length);
    const { out, full } = budget.take(clear);
    if (full) return { out, full };
    return found === undefined ? { out } : { out, stop: found };
  }

  function end(emit: (event: UpstreamEvent) => void, stop: string | undefined): void {
    done = true;
    for (const [index, item] of open) {
      const finished = { ...item, status: stop === undefined ? "incomplete" : "completed" } as OutputItem;
      if (item.type === "message") closeParts(index, item, emit);
      emit(makeEvent({ type: "response.output_item.done", output_index: index, item: finished }));
      closed[index] = finished;
    }
    const usage = usageOf(closed, tools);
    const output = closed.filter((item) => item !== undefined);
    if (stop === undefined) {
      const details = { reason: "max_output_tokens" };
      emit(
        makeEvent({
          type: "response.incomplete",
          response: { ...response, status: "incomplete", incomplete_details: details, output, usage },
        }),
      );
    } else {
      emit(
        makeEvent({
          type: "response.completed",
          response: { ...response, status: "completed", output, usage, local_stop: stop },
        }),
      );
    }
  }

  /** Sends what was held back of the current part, since nothing of that part follows. */
  function release(emit: (event: UpstreamEvent) => void): void {
    if (held === "" || !heldFor) return;
    const event = heldFor;
    const result = admit("", true);
    held = "";
    forward(event, result.out, emit);
    if (result.full) end(emit, undefined);
  }

  function forward(event: UpstreamEvent, text: string, emit: (event: UpstreamEvent) => void): void {
    if (text === "") return;
    const value = event.value;
    if (!("delta" in value)) return;
    const item = open.get(value.output_index);
    if (item) grow(item, value, text);
    // All of the event's fields, of which `value` has only those that are acted on.
    emit(text === value.delta ? event : makeEvent({ ...(parseEvent(event.data) as typeof value), delta: text }));
  }

  return {
    done: () => done,
    push(event, emit) {
      if (done) return;
      switch (event.type) {
        case "response.created":
        case "response.in_progress":
          if ("response" in event.value) response = event.value.response;
          return emit(event);
        case "response.output_text.delta": {
          const value = event.value;
          if (value.type !== "response.output_text.delta") return;
          if (!open.has(value.output_index)) open.set(value.output_index, emptyMessage(value.item_id));
          const result = admit(value.delta, false);
          heldFor = event;
          forward(event, result.out, emit);
          if (result.full || result.stop !== undefined) end(emit, result.stop);
          return;
        }
        case "response.function_call_arguments.delta":
        case "response.custom_tool_call_input.delta": {
          const value = event.value;
          if (!("delta" in value)) return;
          const { out, full } = budget.take(value.delta);
          forward(event, out, emit);
          if (full) end(emit, undefined);
          return;
        }
        case "response.output_item.added": {
          const value = event.value;
          if (value.type !== "response.output_item.added") return;
          open.set(value.output_index, structuredClone(value.item));
          return emit(event);
        }
        case "response.output_item.done": {
          release(emit);
          if (done) return;
          const value = event.value;
          if (value.type !== "response.output_item.done") return;
          const unseen = untold(value.item, open.get(value.output_index));
          open.delete(value.output_index);
          if (unseen !== "" && value.item.type === "message") {
            const result = admit(unseen, true);
            if (result.stop !== undefined || result.full) {
              open.set(value.output_index, withText(value.item, result.out));
              return end(emit, result.stop);
            }
          }
          closed[value.output_index] = value.item;
          return emit(event);
        }
        default:
          if (event.type === "response.output_text.done" || isTerminal(event.type)) release(emit);
          if (!done) emit(event);
      }
    },
  };
}

/** Length of the longest end of `text` with which one of `stops` begins. */
function overlap(text: string, stops: readonly string[]): number {
  let longest = 0;
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(stop.slice(0, length))) longest = length;
    }
  }
  return longest;
}

/** A character of a rare script can take several tokens, hence bytes, of which a UTF-16 unit has three at most. */
const MOST_TOKENS_A_CHAR = 3;
/** So many characters for each token of the limit, about half of what tokens have, and counts are not far off. */
const PREPARE_FROM = 2;
/** Text that follows can change how the last word before it falls into tokens. */
const SEAM_TOKENS = 16;
const SETTLE_CHARS = 256;

/**
 * Counts tokens as text goes by, and only when the text since the last count could have reached the limit: an ordinary
 * answer under an ordinary limit is never counted, one that comes near is counted some hundred times in all, however
 * many deltas it has. What lies before a word end stays counted, so that the work stays linear.
 */
function createBudget(limit: number | undefined, tools: LimitTools) {
  let all = "";
  let settled = 0;
  let settledAt = 0;
  let counted = 0;
  let countedAt = 0;
  let prepared = false;
  return {
    take(text: string): { out: string; full: boolean } {
      if (limit === undefined) return { out: text, full: false };
      const before = all.length;
      all += text;
      if (!prepared && all.length > limit * PREPARE_FROM) {
        prepared = true;
        tools.prepare();
      }
      const seam = countedAt === 0 ? 0 : SEAM_TOKENS;
      if (counted + (all.length - countedAt) * MOST_TOKENS_A_CHAR + seam <= limit) return { out: text, full: false };
      const tail = all.slice(settledAt);
      counted = settled + tools.count(tail);
      countedAt = all.length;
      if (counted > limit) {
        const kept = tools.truncate(tail, limit - settled);
        const length = Math.max(settledAt + kept.length, before) - before;
        return { out: text.slice(0, length), full: true };
      }
      const word = tail.lastIndexOf(" ");
      if (word > SETTLE_CHARS) {
        settled += tools.count(tail.slice(0, word));
        settledAt += word;
      }
      return { out: text, full: false };
    },
  };
}

function grow(item: OutputItem, value: { type: string; content_index?: number }, text: string): void {
  if (item.type === "function_call") item.arguments += text;
  else if (item.type === "custom_tool_call") item.input += text;
  else if (item.type === "message") {
    const index = value.content_index ?? 0;
    item.content[index] ??= { type: "output_text", text: "", annotations: [], logprobs: [] };
    const part = item.content[index] as OutputPart;
    if (part.type === "output_text") part.text += text;
  }
}

function closeParts(index: number, item: OutputItem & { type: "message" }, emit: (event: UpstreamEvent) => void): void {
  item.content.forEach((part, content_index) => {
    if (part.type !== "output_text") return;
    const place = { output_index: index, content_index, ...(item.id ? { item_id: item.id } : {}) };
    emit(makeEvent({ type: "response.output_text.done", ...place, text: part.text }));
    emit(makeEvent({ type: "response.content_part.done", ...place, part }));
  });
}

function emptyMessage(id: string | undefined): OutputItem {
  return { type: "message", role: "assistant", status: "in_progress", content: [], ...(id ? { id } : {}) };
}

function textOf(item: OutputItem | undefined): string {
  if (item?.type !== "message") return "";
  return (item.content ?? []).map((part) => (part.type === "output_text" ? part.text : "")).join("");
}

/** The part of a finished message that no delta has told. */
function untold(item: OutputItem, seen: OutputItem | undefined): string {
  const whole = textOf(item);
  const known = textOf(seen);
  return known === "" ? whole : "";
}

function withText(item: OutputItem & { type: "message" }, text: string): OutputItem {
  return { ...item, content: [{ type: "output_text", text, annotations: [], logprobs: [] }] };
}

function usageOf(items: readonly (OutputItem | undefined)[], tools: LimitTools): ResponsesUsage {
  let output = 0;
  for (const item of items) {
    if (item?.type === "message") output += tools.count(textOf(item));
    else if (item?.type === "function_call") output += tools.count(item.arguments);
    else if (item?.type === "custom_tool_call") output += tools.count(item.input);
  }
  return {
    input_tokens: tools.inputTokens(),
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: tools.inputTokens() + output,
  };
}
