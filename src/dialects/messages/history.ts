import type { ContentPart, InputItem, MessageRole } from "../../canonical/request.ts";
import { type Report, textParts, toParts, toToolOutput } from "./content.ts";
import type { ContentBlock, Message, MessagesBody } from "./schema.ts";
import { decodeSignature } from "./signature.ts";

/** Claude Code's first system block; it changes with every run and would spoil the prompt cache. */
const BILLING_HEADER = "x-anthropic-billing-header:";

/**
 * System prompt and messages as input items, in the client's order. Equal histories give equal items, and a history
 * that goes on gives the same items and more: upstream's prompt cache depends on it. Calls and results are paired where
 * all dialects meet (`canonical/repair.ts`).
 */
export function toInput(body: MessagesBody, report: Report): InputItem[] {
  const items: InputItem[] = systemItems(body.system);
  body.messages.forEach((message, index) => {
    if (message.role === "system") items.push(...systemMessage(message, body.messages.slice(index + 1), report));
    else items.push(...conversationItems(message.role, blocksOf(message.content), body.model, report));
  });
  return items;
}

function systemItems(system: MessagesBody["system"]): InputItem[] {
  const blocks = blocksOf(system);
  const billing = blocks.findIndex((block) => block.type === "text" && block.text.startsWith(BILLING_HEADER));
  const parts = blocks.flatMap((block, index) =>
    index === billing || block.type !== "text" ? [] : textParts(block.text),
  );
  return message("developer", parts);
}

/** A system message amid the conversation stays in its place: moved to the head it would change the cached prefix. */
function systemMessage(own: Message, later: readonly Message[], report: Report): InputItem[] {
  if (own.clear_at === "next_user_message" && later.some((one) => one.role === "user")) return [];
  return message(
    "developer",
    blocksOf(own.content).flatMap((block) => toParts(block, report)),
  );
}

/** One user or assistant message: runs of text, images and documents become messages, the rest items of their own. */
function conversationItems(
  role: "user" | "assistant",
  blocks: readonly ContentBlock[],
  model: string,
  report: Report,
): InputItem[] {
  const items: InputItem[] = [];
  let parts: ContentPart[] = [];
  for (const block of blocks) {
    const item = toItem(block, model, report);
    if (item === undefined) {
      parts.push(...toParts(block, report));
      continue;
    }
    items.push(...message(role, parts), ...item);
    parts = [];
  }
  items.push(...message(role, parts));
  return withoutTrailingReasoning(items);
}

/** A block that is an item of its own, or none at all; undefined for one that is part of a message. */
function toItem(block: ContentBlock, model: string, report: Report): InputItem[] | undefined {
  switch (block.type) {
    case "tool_use":
      return [
        { type: "function_call", call_id: block.id, name: block.name, arguments: JSON.stringify(block.input ?? {}) },
      ];
    case "tool_result":
      return [{ type: "function_call_output", call_id: block.tool_use_id, output: toToolOutput(block, report) }];
    case "thinking":
      return reasoning(decodeSignature(model, block.signature));
    case "redacted_thinking":
      return reasoning(decodeSignature(model, block.data));
    default:
      return isMarker(block) ? [] : undefined;
  }
}

/** The summary is not repeated: upstream reads the encrypted content alone. A foreign signature leaves no item. */
function reasoning(encrypted: string | undefined): InputItem[] {
  return encrypted === undefined ? [] : [{ type: "reasoning", summary: [], encrypted_content: encrypted }];
}

/** Upstream refuses reasoning without the item that it led to; a turn that was cut short while thinking has none. */
function withoutTrailingReasoning(items: InputItem[]): InputItem[] {
  let end = items.length;
  while (items[end - 1]?.type === "reasoning") end--;
  return items.slice(0, end);
}

/** A `fallback` block marks a change of server and says nothing to the model. */
function isMarker(block: { type: string }): boolean {
  return block.type === "fallback";
}

function message(role: MessageRole, parts: ContentPart[]): InputItem[] {
  if (parts.length === 0) return [];
  return role === "assistant" ? assistantItems(parts) : [{ type: "message", role, content: parts }];
}

/** An assistant's message upstream holds text only, so a picture among it goes as the user's. */
function assistantItems(parts: ContentPart[]): InputItem[] {
  const items: InputItem[] = [];
  let texts: ContentPart[] = [];
  const flush = () => {
    if (texts.length > 0) items.push({ type: "message", role: "assistant", content: texts });
    texts = [];
  };
  for (const part of parts) {
    if (part.type === "input_text") texts.push({ type: "output_text", text: part.text });
    else {
      flush();
      items.push({ type: "message", role: "user", content: [part] });
    }
  }
  flush();
  return items;
}

function blocksOf(content: string | ContentBlock[] | null | undefined): ContentBlock[] {
  return Array.isArray(content) ? content : [{ type: "text", text: content ?? "" }];
}
