import type { CanonicalEvent, OutputItem, OutputPart } from "../../canonical/event.ts";
import { GrowingText } from "../../canonical/growing-text.ts";
import type { JsonObject } from "../../json.ts";
import type { BlockWriter } from "./block-writer.ts";
import { SUMMARY_SEPARATOR, type ThinkingView, thinkingBlocks } from "./blocks.ts";
import { encodeSignature } from "./signature.ts";
import { mendArguments, needsMending } from "./tool-input.ts";
import { citationsOf } from "./web-search.ts";

/** Writes one output item while upstream is still producing it. Every method gives SSE text. */
export interface LiveItem {
  push(event: CanonicalEvent): string;
  /** The item as upstream finished it; undefined when the answer ended before. What no delta told is written now. */
  finish(item: OutputItem | undefined): string;
}

type Message = OutputItem & { type: "message" };
type FunctionCall = OutputItem & { type: "function_call" };

/** The rest of a text of which `sent` has gone out. */
function rest(whole: string, sent: string): string {
  return whole.startsWith(sent) ? whole.slice(sent.length) : "";
}

export function createLiveMessage(writer: BlockWriter): LiveItem {
  let part = -1;
  let isOpen = false;
  let sent = new GrowingText();
  let annotations: JsonObject[] = [];

  /** Makes `index` the open part. */
  function enter(index: number): string {
    if (part === index) return "";
    const closed = close(undefined);
    part = index;
    sent = new GrowingText();
    annotations = [];
    return closed;
  }

  function write(text: string): string {
    if (text === "") return "";
    sent.add(text);
    if (isOpen) return writer.delta(text);
    isOpen = true;
    return writer.open({ type: "text", text: "" }, "text_delta") + writer.delta(text);
  }

  /** Ends the open part; citations come last, when the text that they point into is complete. */
  function close(whole: OutputPart | undefined): string {
    const missing = whole === undefined ? "" : write(rest(textOf(whole), `${sent}`));
    if (!isOpen) return missing;
    isOpen = false;
    const told = whole?.type === "output_text" && whole.annotations?.length ? whole.annotations : annotations;
    const citations = citationsOf({ type: "output_text", text: `${sent}`, annotations: told });
    return missing + citations.map(writer.citation).join("") + writer.close();
  }

  return {
    push(event) {
      switch (event.type) {
        case "response.output_text.delta":
        case "response.refusal.delta":
          return enter(event.content_index) + write(event.delta);
        case "response.output_text.annotation.added":
          if (event.content_index === part) annotations.push(event.annotation);
          return "";
        case "response.content_part.done":
          return event.content_index < part ? "" : enter(event.content_index) + close(event.part);
        default:
          return "";
      }
    },
    finish(item) {
      let out = "";
      for (const [index, whole] of ((item as Message | undefined)?.content ?? []).entries()) {
        if (index >= part) out += enter(index) + close(whole);
      }
      return out + close(undefined);
    },
  };
}

export function createLiveReasoning(writer: BlockWriter, view: ThinkingView): LiveItem {
  let summary = -1;
  let sent = "";

  function write(text: string): string {
    if (text === "") return "";
    const opened = sent === "" ? writer.open({ type: "thinking", thinking: "", signature: "" }, "thinking_delta") : "";
    sent += text;
    return opened + writer.delta(text);
  }

  return {
    push(event) {
      if (event.type !== "response.reasoning_summary_text.delta" || !view.shown || view.omitted) return "";
      if (event.delta === "") return "";
      const apart = sent !== "" && event.summary_index !== summary;
      summary = event.summary_index;
      return write(apart ? SUMMARY_SEPARATOR + event.delta : event.delta);
    },
    finish(item) {
      if (item?.type !== "reasoning") return writer.close();
      const blocks = thinkingBlocks(item, view);
      if (sent === "") return blocks.map(writer.whole).join("");
      const [block] = blocks;
      const missing = block?.type === "thinking" ? write(rest(block.thinking, sent)) : "";
      const signature = item.encrypted_content ? encodeSignature(view.model, item.encrypted_content) : "";
      return missing + writer.signature(signature) + writer.close();
    },
  };
}

/** @param call as first told: its name and id are known, its arguments follow. */
export function createLiveCall(writer: BlockWriter, call: FunctionCall): LiveItem & { readonly opening: string } {
  const opening = writer.open({ type: "tool_use", id: call.call_id, name: call.name, input: {} }, "input_json_delta");
  const held = needsMending(call.name);
  const told = new GrowingText();

  return {
    opening,
    push(event) {
      if (event.type !== "response.function_call_arguments.delta") return "";
      told.add(event.delta);
      return held ? "" : writer.delta(event.delta);
    },
    finish(item) {
      const sent = `${told}`;
      const whole = item?.type === "function_call" ? (item.arguments ?? "") : sent;
      const missing = held || sent === "" ? mendArguments(call.name, whole) : rest(whole, sent);
      return writer.delta(missing) + writer.close();
    },
  };
}

function textOf(part: OutputPart): string {
  return part.type === "output_text" ? part.text : part.refusal;
}
