import type { CanonicalResponse } from "../../canonical/response.ts";
import type { AnswerContext } from "../dialect.ts";
import type { AnswerMessage, ChatCompletion, Choice, ToolCall, UrlCitation } from "./answer.ts";
import type { ChatBody } from "./schema.ts";
import {
  citationsOf,
  finishReason,
  isLegacy,
  REASONING_BREAK,
  refusalOf,
  summaryOf,
  sumUsage,
  textOf,
  toServiceTier,
  toToolCall,
} from "./vocabulary.ts";

/** A whole Chat answer: one choice for each upstream answer, usage summed. The text is upstream's own, untrimmed. */
export function fromCanonical(
  responses: readonly CanonicalResponse[],
  body: ChatBody,
  context: AnswerContext,
): ChatCompletion {
  const usage = sumUsage(responses.map((response) => response.usage));
  const tier = responses[0] && toServiceTier(responses[0]);
  return {
    id: `chatcmpl-${context.id}`,
    object: "chat.completion",
    created: context.createdAt,
    model: body.model,
    choices: responses.map((response, index) => toChoice(response, index, body)),
    ...(usage ? { usage } : {}),
    ...(tier ? { service_tier: tier } : {}),
  };
}

function toChoice(response: CanonicalResponse, index: number, body: ChatBody): Choice {
  let text = "";
  let refusal = "";
  const reasoning: string[] = [];
  const calls: ToolCall[] = [];
  const citations: UrlCitation[] = [];
  for (const item of response.output) {
    if (item.type === "message") {
      citations.push(...citationsOf(item.content, text.length));
      text += textOf(item.content);
      refusal += refusalOf(item.content);
    } else if (item.type === "reasoning") {
      const summary = summaryOf(item);
      if (summary !== "") reasoning.push(summary);
    } else {
      const call = toToolCall(item);
      if (call) calls.push(call);
    }
  }
  const message: AnswerMessage = {
    role: "assistant",
    content: text === "" && (calls.length > 0 || refusal !== "") ? null : text,
    refusal: refusal === "" ? null : refusal,
    annotations: citations,
    ...(reasoning.length > 0 ? { reasoning_content: reasoning.join(REASONING_BREAK) } : {}),
    ...toCalls(calls, body),
  };
  return {
    index,
    message,
    logprobs: null,
    finish_reason: finishReason(response, calls.length > 0, body),
  };
}

function toCalls(calls: ToolCall[], body: ChatBody): Pick<AnswerMessage, "tool_calls" | "function_call"> {
  const first = calls[0];
  if (!first) return {};
  if (isLegacy(body)) return first.type === "function" ? { function_call: first.function } : {};
  return { tool_calls: calls };
}
