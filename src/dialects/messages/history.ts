import type { ContentPart, InputItem, MessageRole } from "../../canonical/request.ts";
import { type Report, textParts, toParts, toToolOutput } from "./content.ts";
import type { ContentBlock, Message, MessagesBody, ToolResultBlock, ToolUseBlock } from "./schema.ts";
import { decodeSignature } from "./signature.ts";

/** Claude Code's first system block; it changes with every run and would spoil the prompt cache. */
const BILLING_HEADER = "x-anthropic-billing-header:";

const NO_RESULT = "(no result: the call was interrupted)";

/**
 * System prompt and messages as input items, in the client's order. Equal histories give equal items, and a history
 * that goes on gives the same items and more: upstream's prompt cache depends on it.
 */
export function toInput(body: MessagesBody, report: Report): InputItem[] {
  const pairs = pairCalls(body.messages);
  const items: InputItem[] = systemItems(body.system);
  body.messages.forEach((message, index) => {
    if (message.role === "system") items.push(...systemMessage(message, body.messages.slice(index + 1), report));
    else
      items.push(...conversationItems(message.role, blocksOf(message.content), { pairs, model: body.model, report }));
  });
  return items;
}

interface Pairs {
  /** Results that answer an earlier call. */
  readonly answers: ReadonlySet<ToolResultBlock>;
  /** Calls that nothing answers. */
  readonly unanswered: ReadonlySet<ToolUseBlock>;
}

interface Scope {
  readonly pairs: Pairs;
  readonly model: string;
  readonly report: Report;
}

/** Upstream refuses a history with a call that lacks its output or an output that lacks its call. */
function pairCalls(messages: readonly Message[]): Pairs {
  const open = new Map<string, ToolUseBlock[]>();
  const answers = new Set<ToolResultBlock>();
  for (const block of messages.flatMap((message) => blocksOf(message.content))) {
    if (block.type === "tool_use") open.set(block.id, [...(open.get(block.id) ?? []), block]);
    if (block.type === "tool_result" && open.get(block.tool_use_id)?.shift()) answers.add(block);
  }
  return { answers, unanswered: new Set([...open.values()].flat()) };
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
function conversationItems(role: "user" | "assistant", blocks: readonly ContentBlock[], scope: Scope): InputItem[] {
  const { pairs, model, report } = scope;
  const items: InputItem[] = [];
  const owed: InputItem[] = [];
  let parts: ContentPart[] = [];
  const flush = () => {
    items.push(...message(role, parts));
    parts = [];
  };
  const add = (...more: InputItem[]) => {
    flush();
    items.push(...more);
  };
  for (const block of blocks) {
    switch (block.type) {
      case "tool_use":
        add({
          type: "function_call",
          call_id: block.id,
          name: block.name,
          arguments: JSON.stringify(block.input ?? {}),
        });
        if (pairs.unanswered.has(block))
          owed.push({ type: "function_call_output", call_id: block.id, output: NO_RESULT });
        break;
      case "tool_result":
        if (pairs.answers.has(block)) {
          add({ type: "function_call_output", call_id: block.tool_use_id, output: toToolOutput(block, report) });
        } else parts.push(...orphanParts(block, report));
        break;
      case "thinking":
        add(...reasoning(decodeSignature(model, block.signature)));
        break;
      case "redacted_thinking":
        add(...reasoning(decodeSignature(model, block.data)));
        break;
      default:
        parts.push(...(isMarker(block) ? [] : toParts(block, report)));
    }
  }
  flush();
  return [...withoutTrailingReasoning(items), ...owed];
}

/** A result whose call is not in the history, as text. */
function orphanParts(block: ToolResultBlock, report: Report): ContentPart[] {
  const output = toToolOutput(block, report);
  const head = `Result of the tool call ${block.tool_use_id}:`;
  return typeof output === "string" ? textParts(`${head}\n${output}`) : [...textParts(head), ...output];
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
