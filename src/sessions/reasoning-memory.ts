import type { OutputItem } from "../canonical/event.ts";
import type { InputItem } from "../canonical/request.ts";
import { type Bounds, createBoundedMap } from "./bounded-map.ts";
import { sizeOf } from "./size.ts";

/**
 * What the model thought before it called a tool, by call id. For dialects that have no field for reasoning: without
 * it the model would have to think everything out anew at every step of a tool loop.
 */
export interface ReasoningMemory {
  /** Learns from a finished answer. */
  remember(output: readonly OutputItem[]): void;
  /** Puts reasoning back where it was, unless it is there; the same array when there is nothing to put back. */
  restore(input: InputItem[]): InputItem[];
}

const LONGEST_KEY = 32;

/** Reasoning of one answer as it lay round the text that came before a call. */
interface Thoughts {
  readonly beforeText: readonly InputItem[];
  readonly beforeCall: readonly InputItem[];
}

interface Remembered {
  readonly thoughts: Thoughts;
  readonly bytes: number;
}

export function createReasoningMemory(bounds: Bounds): ReasoningMemory {
  let bytes = 0;
  const byCall = createBoundedMap<Remembered>(bounds, {
    held: () => bytes,
    removed: (entry) => {
      bytes -= entry.bytes;
    },
  });

  function keep(callId: string, thoughts: Thoughts): void {
    const size = sizeOf(thoughts);
    bytes += size;
    byCall.set(keyOf(callId), { thoughts, bytes: size });
  }

  return {
    remember(output) {
      let beforeText: InputItem[] = [];
      let beforeCall: InputItem[] = [];
      for (const item of output) {
        if (item.type === "reasoning" && item.encrypted_content) {
          beforeCall.push({ type: "reasoning", summary: item.summary, encrypted_content: item.encrypted_content });
        } else if (item.type === "message") {
          beforeText = [...beforeText, ...beforeCall];
          beforeCall = [];
        } else if (isCall(item)) {
          // Only the first of several calls side by side carries it: it stands once in the history.
          if (beforeText.length + beforeCall.length > 0) keep(item.call_id, { beforeText, beforeCall });
          beforeText = [];
          beforeCall = [];
        }
      }
    },
    restore(input) {
      let result: InputItem[] | undefined;
      let present: Set<unknown> | undefined;
      for (const [index, item] of input.entries()) {
        const thoughts = isCall(item) ? byCall.get(keyOf(item.call_id))?.thoughts : undefined;
        if (thoughts) {
          present ??= encryptedIn(input);
          const absent = (thought: InputItem) => !present?.has(thought.encrypted_content);
          const beforeText = thoughts.beforeText.filter(absent);
          const beforeCall = thoughts.beforeCall.filter(absent);
          if (beforeText.length + beforeCall.length > 0) {
            result ??= input.slice(0, index);
            result.splice(startOfText(result), 0, ...beforeText);
            result.push(...beforeCall);
            for (const thought of [...beforeText, ...beforeCall]) present.add(thought.encrypted_content);
          }
        }
        result?.push(item);
      }
      return result ?? input;
    },
  };
}

/** Some programs send back call ids without what is neither letter nor digit, or cut to the 40 characters of Chat. */
function keyOf(callId: string): string {
  return callId.replace(/[^a-zA-Z0-9]/g, "").slice(0, LONGEST_KEY) || callId;
}

type Call = { type: "function_call" | "custom_tool_call"; call_id: string };

function isCall(item: { type: string }): item is Call {
  return item.type === "function_call" || item.type === "custom_tool_call";
}

function encryptedIn(input: readonly InputItem[]): Set<unknown> {
  return new Set(input.filter((item) => item.type === "reasoning").map((item) => item.encrypted_content));
}

/** Where the assistant's text at the end of `items` begins; the end when there is none. */
function startOfText(items: readonly InputItem[]): number {
  let start = items.length;
  while (start > 0 && isAssistantText(items[start - 1])) start--;
  return start;
}

function isAssistantText(item: InputItem | undefined): boolean {
  return item?.type === "message" && item.role === "assistant";
}
