import {
  type CanonicalEvent,
  isTerminal,
  type OutputItem,
  type ResponseObject,
  type UpstreamEvent,
} from "../../canonical/event.ts";
import { failureOfEvent } from "../../canonical/failure.ts";
import type { ProxyError } from "../../errors.ts";
import { encodeEvent } from "../../sse/encode.ts";
import type { AnswerContext, StreamEncoder } from "../dialect.ts";
import { createBlockWriter } from "./block-writer.ts";
import { thinkingView } from "./blocks.ts";
import { toErrorBody } from "./errors.ts";
import { createLiveCall, createLiveMessage, createLiveReasoning, type LiveItem } from "./live-item.ts";
import type { MessagesBody } from "./schema.ts";
import { firstUsage, isSearch, messageId, noFacts, noteItem, toStop, toUsage } from "./vocabulary.ts";
import { hasSources, toSearchBlocks } from "./web-search.ts";

const PING = encodeEvent("ping", { type: "ping" });

/** An event that belongs to one output item. */
type ItemEvent = Extract<CanonicalEvent, { output_index: number }>;

/**
 * The event stream of the Messages API (https://platform.claude.com/docs/en/build-with-claude/streaming). Upstream may
 * produce several items at a time; here the one that began first streams live and the events of the others wait until it
 * is finished, because blocks must not interleave.
 */
export function createEncoder(body: MessagesBody, context: AnswerContext): StreamEncoder {
  const writer = createBlockWriter();
  const view = thinkingView(body);
  const facts = noFacts();
  const waiting = new Map<number, ItemEvent[]>();
  const finished = new Set<number>();
  let started = false;
  let ended = false;
  /** The item that streams; `live` once its type is known. */
  let current: number | undefined;
  let live: LiveItem | undefined;
  let first: OutputItem | undefined;
  /** A finished search without sources: it waits for the message that cites them. */
  let held: OutputItem | undefined;
  let seen = false;

  function start(): string {
    if (started) return "";
    started = true;
    const message = {
      id: messageId(context),
      type: "message",
      role: "assistant",
      model: body.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: firstUsage(context),
    };
    return encodeEvent("message_start", { type: "message_start", message }) + PING;
  }

  /** An event that does not say which item it belongs to belongs to the one that streams, or to the next. */
  function placed(event: ItemEvent): ItemEvent {
    return event.output_index === undefined ? { ...event, output_index: current ?? finished.size } : event;
  }

  /** Takes an item's event now if the item is at its turn, else keeps it. */
  function take(event: ItemEvent): string {
    seen = true;
    if (finished.has(event.output_index)) return "";
    current ??= event.output_index;
    if (event.output_index === current) return held ? "" : advance(event) + drain();
    const queue = waiting.get(event.output_index);
    if (queue) queue.push(event);
    else waiting.set(event.output_index, [event]);
    const mayCite = held && event.type === "response.output_item.done" && event.item.type === "message";
    return mayCite ? finish(held) + drain() : "";
  }

  /** Gives the waiting items their turn, in upstream's order. */
  function drain(): string {
    let out = "";
    while (current === undefined && waiting.size > 0) {
      current = Math.min(...waiting.keys());
      const events = waiting.get(current) ?? [];
      waiting.delete(current);
      // What comes after an item's end says nothing new.
      for (const event of events) if (current !== undefined) out += advance(event);
    }
    return out;
  }

  function advance(event: ItemEvent): string {
    if (event.type === "response.output_item.done") return finish(event.item);
    if (event.type === "response.output_item.added") {
      first = event.item;
      if (first.type !== "function_call") return "";
      const call = createLiveCall(writer, first);
      live = call;
      return call.opening;
    }
    live ??= liveFor(event.type);
    return live?.push(event) ?? "";
  }

  function liveFor(type: string): LiveItem | undefined {
    if (/^response\.(output_text|refusal|content_part)\./.test(type)) return createLiveMessage(writer);
    if (type.startsWith("response.reasoning_")) return createLiveReasoning(writer, view);
    return undefined;
  }

  /** Ends the current item; undefined when upstream did not finish it. */
  function finish(item: OutputItem | undefined, last = false): string {
    if (item && isSearch(item) && !hasSources(item) && !last && citingMessage() === undefined) {
      held = item;
      return "";
    }
    const out = render(item);
    const known = item ?? first;
    if (known) noteItem(facts, known);
    if (current !== undefined) finished.add(current);
    current = undefined;
    live = undefined;
    first = undefined;
    held = undefined;
    return out;
  }

  function render(item: OutputItem | undefined): string {
    if (live) return live.finish(item);
    switch (item?.type) {
      case "message":
        return createLiveMessage(writer).finish(item);
      case "reasoning":
        return createLiveReasoning(writer, view).finish(item);
      case "function_call": {
        const call = createLiveCall(writer, item);
        return call.opening + call.finish(item);
      }
      default: {
        if (!item || !isSearch(item)) return "";
        const { use, result } = toSearchBlocks(item, citingMessage());
        return writer.whole(use) + writer.whole(result);
      }
    }
  }

  /** The first message among the items that wait, once it is finished. */
  function citingMessage(): OutputItem | undefined {
    for (const index of [...waiting.keys()].sort((a, b) => a - b)) {
      const events = waiting.get(index) ?? [];
      const items = events.flatMap((event) => ("item" in event ? [event.item] : []));
      if (items[0]?.type !== "message") continue;
      return events.at(-1)?.type === "response.output_item.done" ? items.at(-1) : undefined;
    }
    return undefined;
  }

  /** Ends the answer: items that upstream left open are closed with what its last event tells of them. */
  function complete(response: ResponseObject): string {
    let out = start();
    const told = response.output ?? [];
    if (!seen) {
      for (const [output_index, item] of told.entries()) {
        out += take({ type: "response.output_item.done", output_index, item });
      }
    }
    while (current !== undefined) out += finish(held ?? told[current], true) + drain();
    ended = true;
    const delta = toStop(response, facts);
    out += encodeEvent("message_delta", {
      type: "message_delta",
      delta,
      usage: toUsage(response.usage, facts, context),
    });
    return out + encodeEvent("message_stop", { type: "message_stop" });
  }

  function fail(error: ProxyError): string {
    if (ended) return "";
    ended = true;
    return encodeEvent("error", toErrorBody(error, context.requestId));
  }

  function close(value: CanonicalEvent): string {
    const failure = failureOfEvent(value);
    if (failure) return fail(failure);
    if (!("response" in value)) return "";
    const cut = value.type === "response.incomplete";
    return complete(cut ? { ...value.response, status: "incomplete" } : value.response);
  }

  return {
    push(event: UpstreamEvent): string {
      if (ended) return "";
      if (isTerminal(event.type)) return close(event.value);
      const { value } = event;
      if (isItemEvent(value)) return start() + take(placed(value));
      return event.type === "response.created" || event.type === "response.in_progress" ? start() : "";
    },
    fail,
    keepAlive: () => (ended ? "" : started ? PING : start()),
  };
}

function isItemEvent(value: CanonicalEvent): value is ItemEvent {
  return "output_index" in value || "item" in value;
}
