import type { AnswerContext } from "../dialect.ts";
import type { ChatUsage, FinishReason, ServiceTier, ToolCall, UrlCitation } from "./answer.ts";
import type { ChatBody } from "./schema.ts";

/** SSE text of the chunks of one choice. */
export interface ChunkWriter {
  /** `undefined` leaves `content` out: nothing is known of it yet. */
  role(content: "" | null | undefined): string;
  content(text: string): string;
  reasoning(text: string): string;
  refusal(text: string): string;
  annotations(citations: readonly UrlCitation[]): string;
  callStart(index: number, call: ToolCall): string;
  callDelta(index: number, type: ToolCall["type"], text: string): string;
  legacyCallStart(name: string, args: string): string;
  legacyCallDelta(text: string): string;
  finish(reason: FinishReason, tier: ServiceTier | undefined): string;
  /** The last chunk of the stream: no choices, the usage of all answers. */
  usage(usage: ChatUsage): string;
}

/** True when every chunk has a `usage` field, null in all but the last. */
export function wantsUsage(body: ChatBody): boolean {
  return body.stream_options?.include_usage === true;
}

/**
 * Chunks are put together from prepared text: only what changes is stringified, since a delta passes here for every
 * few characters of an answer.
 */
export function createChunkWriter(body: ChatBody, context: AnswerContext): ChunkWriter {
  const id = JSON.stringify(`chatcmpl-${context.id}`);
  const model = JSON.stringify(body.model);
  const top = `data: {"id":${id},"object":"chat.completion.chunk","created":${context.createdAt},"model":${model}`;
  const head = `${top},"choices":[{"index":${context.choice.index},"delta":`;
  const noUsage = wantsUsage(body) ? ',"usage":null}\n\n' : "}\n\n";
  const tail = `,"finish_reason":null}]${noUsage}`;
  const contentHead = `${head}{"content":`;
  const reasoningHead = `${head}{"reasoning_content":`;
  const callHead = `${head}{"tool_calls":[{"index":`;
  const deltaTail = `}${tail}`;
  const write = (delta: string) => `${head}${delta}${tail}`;

  return {
    role(content) {
      if (content === undefined) return write('{"role":"assistant"}');
      return write(`{"role":"assistant","content":${JSON.stringify(content)},"refusal":null}`);
    },
    content: (text) => contentHead + JSON.stringify(text) + deltaTail,
    reasoning: (text) => reasoningHead + JSON.stringify(text) + deltaTail,
    refusal: (text) => write(`{"refusal":${JSON.stringify(text)}}`),
    annotations: (citations) => write(`{"annotations":${JSON.stringify(citations)}}`),
    callStart: (index, call) => write(JSON.stringify({ tool_calls: [{ index, ...call }] })),
    callDelta(index, type, text) {
      const field = type === "function" ? '"function":{"arguments":' : '"custom":{"input":';
      return `${callHead}${index},${field}${JSON.stringify(text)}}}]}${tail}`;
    },
    legacyCallStart: (name, args) => write(JSON.stringify({ function_call: { name, arguments: args } })),
    legacyCallDelta: (text) => write(`{"function_call":{"arguments":${JSON.stringify(text)}}}`),
    finish(reason, tier) {
      const served = tier ? `,"service_tier":"${tier}"` : "";
      return `${head}{},"finish_reason":"${reason}"}]${served}${noUsage}`;
    },
    usage: (usage) => `${top},"choices":[],"usage":${JSON.stringify(usage)}}\n\n`,
  };
}
