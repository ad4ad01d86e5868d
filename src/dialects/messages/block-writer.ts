import { encodeEvent } from "../../sse/encode.ts";
import type { AnswerBlock } from "./blocks.ts";
import type { Citation } from "./web-search.ts";

type DeltaKind = "text_delta" | "thinking_delta" | "input_json_delta";

const FIELDS: Readonly<Record<DeltaKind, string>> = {
  text_delta: "text",
  thinking_delta: "thinking",
  input_json_delta: "partial_json",
};

/**
 * Writes content blocks as events, one strictly after another with contiguous indexes: opening a block closes the one
 * before. Every method gives SSE text.
 */
export interface BlockWriter {
  open(block: object, deltas: DeltaKind): string;
  /** Text of the open block, of the kind that `open` named. Nothing for an empty text. */
  delta(text: string): string;
  citation(citation: Citation): string;
  signature(signature: string): string;
  close(): string;
  /** A finished block in full. */
  whole(block: AnswerBlock): string;
}

export function createBlockWriter(): BlockWriter {
  let index = -1;
  let isOpen = false;
  // Everything of a delta event but its text; made once a block, since deltas are the hot path.
  let head = "";

  const start = (block: object): string => {
    const closed = close();
    index++;
    isOpen = true;
    return closed + encodeEvent("content_block_start", { type: "content_block_start", index, content_block: block });
  };

  const other = (delta: object): string =>
    encodeEvent("content_block_delta", { type: "content_block_delta", index, delta });

  function open(block: object, deltas: DeltaKind): string {
    const started = start(block);
    head = `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":{"type":"${deltas}","${FIELDS[deltas]}":`;
    return started;
  }

  function delta(text: string): string {
    return text === "" ? "" : `${head}${JSON.stringify(text)}}}\n\n`;
  }

  function close(): string {
    if (!isOpen) return "";
    isOpen = false;
    return encodeEvent("content_block_stop", { type: "content_block_stop", index });
  }

  const citation = (own: Citation): string => other({ type: "citations_delta", citation: own });
  const signature = (own: string): string => (own === "" ? "" : other({ type: "signature_delta", signature: own }));

  function whole(block: AnswerBlock): string {
    switch (block.type) {
      case "text": {
        const started = open({ type: "text", text: "" }, "text_delta");
        return started + delta(block.text) + (block.citations ?? []).map(citation).join("") + close();
      }
      case "thinking": {
        const started = open({ type: "thinking", thinking: "", signature: "" }, "thinking_delta");
        return started + delta(block.thinking) + signature(block.signature) + close();
      }
      case "tool_use":
      case "server_tool_use":
        return open({ ...block, input: {} }, "input_json_delta") + delta(JSON.stringify(block.input)) + close();
      case "redacted_thinking":
      case "web_search_tool_result":
        return start(block) + close();
    }
  }

  return { open, delta, citation, signature, close, whole };
}
