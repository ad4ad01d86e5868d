import type { OutputItem, OutputPart } from "../../canonical/event.ts";
import { omitsThinking, showsThinking } from "./controls.ts";
import type { MessagesBody } from "./schema.ts";
import { encodeSignature } from "./signature.ts";
import { toToolInput } from "./tool-input.ts";
import { isSearch } from "./vocabulary.ts";
import { type Citation, citationsOf, type SearchBlocks, toSearchBlocks } from "./web-search.ts";

/** A content block of an answer. */
export type AnswerBlock =
  | { type: "text"; text: string; citations?: Citation[] }
  | { type: "thinking"; thinking: string; signature: string }
  | { type: "redacted_thinking"; data: string }
  | { type: "tool_use"; id: string; name: string; input: unknown }
  | SearchBlocks["use"]
  | SearchBlocks["result"];

/** How thinking is shown; fixed for one answer. */
export interface ThinkingView {
  readonly model: string;
  readonly shown: boolean;
  /** The client wants signatures only. */
  readonly omitted: boolean;
}

export function thinkingView(body: MessagesBody): ThinkingView {
  return { model: body.model, shown: showsThinking(body), omitted: omitsThinking(body) };
}

/** The finished output as content blocks, in order. */
export function toBlocks(output: readonly OutputItem[], view: ThinkingView): AnswerBlock[] {
  return output.flatMap((item, index) => {
    switch (item.type) {
      case "message":
        return item.content.flatMap(textBlock);
      case "reasoning":
        return thinkingBlocks(item, view);
      case "function_call":
        return [
          {
            type: "tool_use" as const,
            id: item.call_id,
            name: item.name,
            input: toToolInput(item.name, item.arguments),
          },
        ];
      default: {
        if (!isSearch(item)) return [];
        const { use, result } = toSearchBlocks(item, messageAfter(output, index));
        return [use, result];
      }
    }
  });
}

function textBlock(part: OutputPart): AnswerBlock[] {
  const text = part.type === "output_text" ? part.text : part.refusal;
  if (text === "") return [];
  const citations = citationsOf(part);
  return [{ type: "text", text, ...(citations.length > 0 ? { citations } : {}) }];
}

/**
 * Reasoning with a summary is a thinking block, reasoning without one a redacted block: both bring the encrypted content
 * back. With `display: omitted` it is a thinking block without text, as the API has it.
 */
export function thinkingBlocks(item: OutputItem & { type: "reasoning" }, view: ThinkingView): AnswerBlock[] {
  if (!view.shown) return [];
  const thinking = view.omitted ? "" : summaryOf(item);
  const signature = item.encrypted_content ? encodeSignature(view.model, item.encrypted_content) : "";
  if (thinking !== "" || (view.omitted && signature !== "")) return [{ type: "thinking", thinking, signature }];
  return signature === "" ? [] : [{ type: "redacted_thinking", data: signature }];
}

/** Parts of a summary are paragraphs. */
export const SUMMARY_SEPARATOR = "\n\n";

function summaryOf(item: OutputItem & { type: "reasoning" }): string {
  const parts = item.summary.length > 0 ? item.summary : (item.content ?? []);
  return parts
    .map((part) => part.text)
    .filter((text) => text !== "")
    .join(SUMMARY_SEPARATOR);
}

function messageAfter(output: readonly OutputItem[], index: number): OutputItem | undefined {
  return output.slice(index + 1).find((item) => item.type === "message");
}
