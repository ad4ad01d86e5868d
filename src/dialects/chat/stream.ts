import type { OutputItem, ResponseObject, ResponsesUsage, UpstreamEvent } from "../../canonical/event.ts";
import { failureOfEvent } from "../../canonical/failure.ts";
import { type ProxyError, toProxyError } from "../../errors.ts";
import { encodeData, KEEP_ALIVE_COMMENT } from "../../sse/encode.ts";
import type { AnswerContext, StreamEncoder } from "../dialect.ts";
import type { TokenLogprob } from "./answer.ts";
import { type ChunkWriter, createChunkWriter, wantsUsage } from "./chunk.ts";
import { toErrorBody } from "./errors.ts";
import type { ChatBody } from "./schema.ts";
import {
  citationsOf,
  finishReason,
  isLegacy,
  logprobsOf,
  REASONING_BREAK,
  refusalOf,
  summaryOf,
  sumUsage,
  textOf,
  toServiceTier,
  toToolCall,
} from "./vocabulary.ts";

const DONE = "data: [DONE]\n\n";

/** How one choice's stream ended, for the end of a stream that carries several. */
interface ChatEncoder extends StreamEncoder {
  readonly writer: ChunkWriter;
  readonly outcome: { ended: boolean; failed: boolean; usage: ResponsesUsage | undefined };
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

/**
 * Encodes one upstream stream as Chat chunks
 * (https://platform.openai.com/docs/api-reference/chat-streaming). Ends with `[DONE]` only when the answer is complete:
 * after an error chunk the stream just ends, so that no client takes half an answer for a whole one.
 * Of several choices, each ends with its finish reason; `finishCopies` then ends the stream.
 */
export function createEncoder(body: ChatBody, context: AnswerContext): StreamEncoder {
  const writer = createChunkWriter(body, context);
  const legacy = isLegacy(body);
  const outcome: ChatEncoder["outcome"] = { ended: false, failed: false, usage: undefined };
  const items = new Map<number, ItemState>();
  const places = new Map<string, number>();
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

  /** An item's place in the output. Some streams leave `output_index` out; the item's id then tells items apart. */
  function placeOf(index: number | undefined, id: string | undefined): number {
    const place = index ?? (id === undefined ? undefined : places.get(id)) ?? items.size;
    if (id !== undefined) places.set(id, place);
    return place;
  }

  function stateAt(index: number | undefined, id: string | undefined): ItemState {
    const place = placeOf(index, id);
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
    }
    return state;
  }

  function tellText(state: ItemState, text: string, logprobs: TokenLogprob[] | undefined): string {
    if (text === "") return "";
    state.text += text.length;
    textLength += text.length;
    return begin("") + writer.content(text, body.logprobs ? logprobs : undefined);
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
    return state.call === 0 ? writer.legacyCallDelta(text) : "";
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
    const unseen = textOf(item.content).slice(state.text);
    const odds = state.text === 0 ? logprobsOf(item.content) : undefined;
    const citations = citationsOf(item.content, state.offset);
    return (
      tellText(state, unseen, odds) +
      tellRefusal(state, refusalOf(item.content).slice(state.refusal)) +
      (citations.length > 0 ? writer.annotations(citations) : "")
    );
  }

  /** Items that only the terminal event tells: all of them when there were no item events, else the unfinished ones. */
  function finishOutput(output: readonly OutputItem[]): string {
    const all = items.size === 0;
    let out = "";
    output.forEach((item, index) => {
      if (all || items.has(index)) out += finishItem(item, stateAt(index, item.id));
    });
    return out;
  }

  function finish(response: ResponseObject, incomplete: boolean): string {
    const out = finishOutput(response.output ?? []) + begin("");
    outcome.ended = true;
    outcome.usage = response.usage ?? undefined;
    const reason = finishReason(incomplete ? { ...response, status: "incomplete" } : response, calls > 0, body);
    const end = out + writer.finish(reason, toServiceTier(response));
    return context.choice.of > 1 ? end : end + endStream(body, writer, [outcome.usage]);
  }

  function fail(error: ProxyError): string {
    if (outcome.ended) return "";
    outcome.ended = true;
    outcome.failed = true;
    return encodeData(toErrorBody(error));
  }

  function push(event: UpstreamEvent): string {
    if (outcome.ended) return "";
    switch (event.type) {
      case "response.output_text.delta":
      case "response.refusal.delta":
      case "response.reasoning_summary_text.delta":
      case "response.function_call_arguments.delta":
      case "response.custom_tool_call_input.delta":
        return pushDelta(event);
      case "response.output_item.added":
      case "response.output_item.done": {
        const value = event.value;
        if (!("item" in value)) return "";
        const state = stateAt(value.output_index, value.item.id);
        return event.type === "response.output_item.added" ? addItem(value.item, state) : finishItem(value.item, state);
      }
      case "response.completed":
      case "response.incomplete": {
        const value = event.value;
        return "response" in value ? finish(value.response, event.type === "response.incomplete") : "";
      }
      case "response.failed":
      case "error":
        return fail(failureOfEvent(event.value) ?? toProxyError(undefined));
      default:
        return "";
    }
  }

  function pushDelta(event: UpstreamEvent): string {
    const value = event.value;
    if (!("delta" in value)) return "";
    const state = stateAt(value.output_index, value.item_id);
    switch (value.type) {
      case "response.output_text.delta":
        return tellText(state, value.delta, (value as { logprobs?: TokenLogprob[] }).logprobs);
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

  const encoder: ChatEncoder = { push, fail, keepAlive: () => KEEP_ALIVE_COMMENT, writer, outcome };
  return encoder;
}

/** Ends a stream of several choices, once each has ended: the usage of all, then `[DONE]`. Nothing after a failure. */
export function finishCopies(encoders: readonly StreamEncoder[], body: ChatBody): string {
  const copies = encoders.filter(isChatEncoder);
  const first = copies[0];
  if (!first || copies.length < 2 || copies.some(({ outcome }) => outcome.failed || !outcome.ended)) return "";
  const usages = copies.map(({ outcome }) => outcome.usage);
  return endStream(body, first.writer, usages);
}

function endStream(body: ChatBody, writer: ChunkWriter, usages: readonly (ResponsesUsage | undefined)[]): string {
  const usage = wantsUsage(body) ? sumUsage(usages) : undefined;
  return usage ? writer.usage(usage) + DONE : DONE;
}

function isChatEncoder(encoder: StreamEncoder): encoder is ChatEncoder {
  return "outcome" in encoder;
}
