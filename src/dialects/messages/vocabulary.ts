import type { OutputItem, ResponseObject, ResponsesUsage } from "../../canonical/event.ts";
import type { AnswerContext } from "../dialect.ts";

/** https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons */
type StopReason = "end_turn" | "tool_use" | "max_tokens" | "stop_sequence" | "refusal" | "pause_turn";

/** Token counts of an answer; the cached part of the prompt is not in `input_tokens`. */
export interface MessagesUsage {
  input_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
  output_tokens: number;
  output_tokens_details?: { thinking_tokens: number };
  server_tool_use?: { web_search_requests: number; web_fetch_requests: number };
}

export interface StopFields {
  stop_reason: StopReason;
  stop_sequence: string | null;
  stop_details?: { type: "refusal"; category: null; explanation: string | null };
}

/** What the output held, as far as the end of an answer depends on it. */
export interface OutputFacts {
  toolUse: boolean;
  /** Text of a refusal; undefined when nothing was refused. */
  refusal: string | undefined;
  webSearches: number;
  /** Type of the last item. */
  last: string | undefined;
}

export function noFacts(): OutputFacts {
  return { toolUse: false, refusal: undefined, webSearches: 0, last: undefined };
}

/** Takes one finished item into account. */
export function noteItem(facts: OutputFacts, item: OutputItem): void {
  facts.last = item.type;
  if (item.type === "function_call") facts.toolUse = true;
  if (isSearch(item)) facts.webSearches++;
  if (item.type !== "message") return;
  for (const part of item.content ?? []) {
    if (part.type === "refusal") facts.refusal = (facts.refusal ?? "") + part.refusal;
  }
}

/** A web search, as opposed to the opening of a page or a look into it, for which the Messages API has no block. */
export function isSearch(item: OutputItem): item is OutputItem & { type: "web_search_call" } {
  if (item.type !== "web_search_call") return false;
  const action = item.action?.type;
  return action === undefined || action === "search";
}

/** Why the answer ended. A turn that ends on a search has not come to its answer: the client sends it back to go on. */
export function toStop(response: ResponseObject, facts: OutputFacts): StopFields {
  const stop = (stop_reason: StopReason): StopFields => ({ stop_reason, stop_sequence: null });
  if (response.local_stop !== undefined) return { stop_reason: "stop_sequence", stop_sequence: response.local_stop };
  const reason = response.incomplete_details?.reason;
  if (reason === "content_filter" || facts.refusal !== undefined) {
    const stop_details = { type: "refusal", category: null, explanation: facts.refusal ?? null } as const;
    return { ...stop("refusal"), stop_details };
  }
  if (response.status === "incomplete" || reason !== undefined) return stop("max_tokens");
  if (facts.toolUse) return stop("tool_use");
  return stop(facts.last === "web_search_call" ? "pause_turn" : "end_turn");
}

/** Upstream counts cached tokens into the input, the Messages API beside it. */
export function toUsage(
  usage: ResponsesUsage | null | undefined,
  facts: OutputFacts,
  context: AnswerContext,
): MessagesUsage {
  const cached = usage?.input_tokens_details?.cached_tokens ?? 0;
  const result: MessagesUsage = {
    input_tokens: usage ? Math.max(0, usage.input_tokens - cached) : context.inputTokens(),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    output_tokens: usage?.output_tokens ?? 0,
  };
  const thinking = usage?.output_tokens_details?.reasoning_tokens;
  if (thinking !== undefined) result.output_tokens_details = { thinking_tokens: thinking };
  if (facts.webSearches > 0) {
    result.server_tool_use = { web_search_requests: facts.webSearches, web_fetch_requests: 0 };
  }
  return result;
}

/** Usage before upstream has told any: the estimate of the prompt. */
export function firstUsage(context: AnswerContext): MessagesUsage {
  return toUsage(undefined, noFacts(), context);
}

export function messageId(context: AnswerContext): string {
  return `msg_${context.id}`;
}
