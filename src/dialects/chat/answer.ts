import type { JsonObject } from "../../json.ts";

/** Wire types of Chat answers (https://platform.openai.com/docs/api-reference/chat/object). */

export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter" | "function_call";
export type ServiceTier = "auto" | "default" | "flex" | "scale" | "priority";

export interface ChatUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number; audio_tokens: number };
  completion_tokens_details: {
    reasoning_tokens: number;
    audio_tokens: number;
    accepted_prediction_tokens: number;
    rejected_prediction_tokens: number;
  };
}

export interface UrlCitation {
  type: "url_citation";
  url_citation: { start_index: number; end_index: number; title: string; url: string };
}

export type ToolCall =
  | { id: string; type: "function"; function: { name: string; arguments: string } }
  | { id: string; type: "custom"; custom: { name: string; input: string } };

export interface AnswerMessage {
  role: "assistant";
  /** Null when the answer is only calls or a refusal. */
  content: string | null;
  refusal: string | null;
  annotations?: UrlCitation[];
  /** Summaries of the model's reasoning; not in OpenAI's spec, but what Chat clients know it by. */
  reasoning_content?: string;
  tool_calls?: ToolCall[];
  /** Instead of `tool_calls` when the request declared legacy `functions`. */
  function_call?: { name: string; arguments: string };
}

export interface Choice {
  index: number;
  message: AnswerMessage;
  /** Upstream tells none; the field is required all the same. */
  logprobs: null;
  finish_reason: FinishReason;
}

export interface ChatCompletion {
  id: string;
  object: "chat.completion";
  created: number;
  model: string;
  choices: Choice[];
  /** Absent when upstream told none. */
  usage?: ChatUsage;
  service_tier?: ServiceTier;
}

/** OpenAI's error envelope. */
export interface ErrorBody extends JsonObject {
  error: { message: string; type: string; param: string | null; code: string | null };
}
