import type { OutputItem, UpstreamEvent } from "../../canonical/event.ts";
import type { UrlCitation } from "./answer.ts";
import type { ChunkWriter } from "./chunk.ts";
import { citationsOf, REASONING_BREAK, refusalOf, summaryOf, textOf, toToolCall } from "./vocabulary.ts";

/** Tells one choice's output as it arrives: each call gives SSE text, often "". */
export interface ChoiceTeller {
  /** An item begins: a tool call is announced. */
  added(event: UpstreamEvent): string;
  delta(event: UpstreamEvent): string;
  /** An item is finished: what no delta told of it follows. */
  done(event: UpstreamEvent): string;
  /**
   * The answer ends with these items: all are told when there were no item events, else the unfinished ones. What can
   * only be told at the end follows.
   */
  end(items: readonly OutputItem[]): string;
  /** Tool calls told so far. */
  calls(): number;
}

/** What has been told of one output item. Lengths, so that a finished item adds only what no delta told. */
interface ItemState {
  done: boolean;
  text: number;
  refusal: number;
  summary: number;
  summaryIndex: number;
  /** Length of the answer's text before this item. */
  readonly offset: number;
  /** Index among the tool calls, once the call has been announced. */
  call: number | undefined;
  callText: number;
}

/** @param legacy Tool calls are told as `function_call`, which has room for the first one only. */
export function createChoiceTeller(writer: ChunkWriter, legacy: boolean): ChoiceTeller {
  const items = new Map<number, ItemState>();
  const places = new Map<string, number>();
  const citations: UrlCitation[] = [];
  let begun = false;
  let calls = 0;
  let textLength = 0;
  let reasoningTold = false;

  /** The first chunk has the role, and as much of the content as is known: text, none, or nothing yet. */
  function begin(content: "" | null | undefined): string {
    if (begun) return "";
    begun = true;
    return writer.role(content);
  }

  /** Some streams leave `output_index` out; the item's id then tells items apart. */
  function stateAt(index: number | undefined, id: string | undefined): ItemState {
    const place = index ?? (id === undefined ? undefined : places.get(id)) ?? items.size;
    let state = items.get(place);
    if (!state) {
      state = {
        done: false,
        text: 0,
        refusal: 0,
        summary: 0,
        summaryIndex: 0,
        offset: textLength,
        call: undefined,
        callText: 0,
      };
      items.set(place, state);
      if (id !== undefined) places.set(id, place);
    }
    return state;
  }

  function tellText(state: ItemState, text: string): string {
    if (text === "") return "";
    state.text += text.length;
    textLength += text.length;
    return begin("") + writer.content(text);
  }

  function tellRefusal(state: ItemState, text: string): string {
    if (text === "") return "";
    state.refusal += text.length;
    return begin(null) + writer.refusal(text);
  }

  function tellSummary(state: ItemState, text: string): string {
    if (text === "") return "";
    // Between items only: within one, the break is part of the summary's own text.
    const gap = state.summary === 0 && reasoningTold ? REASONING_BREAK : "";
    reasoningTold = true;
    state.summary += text.length;
    return begin(undefined) + writer.reasoning(gap + text);
  }

  function tellCall(state: ItemState, item: OutputItem): string {
    const call = toToolCall(item);
    if (!call?.id) return "";
    const text = call.type === "function" ? call.function.arguments : call.custom.input;
    if (state.call !== undefined) return tellCallText(state, call.type, text.slice(state.callText));
    state.call = calls++;
    state.callText = text.length;
    const head = begin(null);
    if (!legacy) return head + writer.callStart(state.call, call);
    if (call.type !== "function" || state.call > 0) return head;
    return head + writer.legacyCallStart(call.function.name, text);
  }

  function tellCallText(state: ItemState, type: "function" | "custom", text: string): string {
    // A call that has not been announced is told whole when it is finished.
    if (state.call === undefined || text === "") return "";
    state.callText += text.length;
    if (!legacy) return writer.callDelta(state.call, type, text);
    return state.call === 0 && type === "function" ? writer.legacyCallDelta(text) : "";
  }

  function addItem(item: OutputItem, state: ItemState): string {
    if (item.type === "message") return begin("");
    if (item.type === "function_call" || item.type === "custom_tool_call") return tellCall(state, item);
    return begin(undefined);
  }

  /** Tells what no delta has told. */
  function finishItem(item: OutputItem, state: ItemState): string {
    if (state.done) return "";
    state.done = true;
    if (item.type === "reasoning") return tellSummary(state, summaryOf(item).slice(state.summary));
    if (item.type !== "message") return addItem(item, state);
    citations.push(...citationsOf(item.content, state.offset));
    return (
      tellText(state, textOf(item.content).slice(state.text)) +
      tellRefusal(state, refusalOf(item.content).slice(state.refusal))
    );
  }

  function finishOutput(output: readonly OutputItem[]): string {
    const all = items.size === 0;
    let out = "";
    output.forEach((item, index) => {
      if (all || items.has(index)) out += finishItem(item, stateAt(index, item.id));
    });
    // In one chunk: clients differ in whether a second list is added or takes the first one's place.
    return out + begin("") + (citations.length > 0 ? writer.annotations(citations) : "");
  }

  function tellDelta(event: UpstreamEvent): string {
    const value = event.value;
    if (!("delta" in value)) return "";
    const state = stateAt(value.output_index, value.item_id);
    switch (value.type) {
      case "response.output_text.delta":
        return tellText(state, value.delta);
      case "response.refusal.delta":
        return tellRefusal(state, value.delta);
      case "response.function_call_arguments.delta":
        return tellCallText(state, "function", value.delta);
      case "response.custom_tool_call_input.delta":
        return tellCallText(state, "custom", value.delta);
      case "response.reasoning_summary_text.delta": {
        if (value.delta === "") return "";
        const gap = state.summary > 0 && state.summaryIndex !== value.summary_index ? REASONING_BREAK : "";
        state.summaryIndex = value.summary_index;
        return tellSummary(state, gap + value.delta);
      }
      default:
        return "";
    }
  }

  return {
    added(event) {
      const value = event.value;
      return "item" in value ? addItem(value.item, stateAt(value.output_index, value.item.id)) : "";
    },
    delta: tellDelta,
    done(event) {
      const value = event.value;
      return "item" in value ? finishItem(value.item, stateAt(value.output_index, value.item.id)) : "";
    },
    end: finishOutput,
    calls: () => calls,
  };
}
