import type { OutputItem, OutputPart, ResponseObject, ResponsesUsage } from "../../canonical/event.ts";
import { isObject, type JsonObject } from "../../json.ts";
import type { ChatUsage, FinishReason, ServiceTier, ToolCall, UrlCitation } from "./answer.ts";
import type { ChatBody } from "./schema.ts";

/** Words that whole and streamed answers share: each is translated here and nowhere else. */

const TIERS = new Set<unknown>(["auto", "default", "flex", "scale", "priority"]);

/** Stands between two paragraphs of reasoning, which upstream sends as parts of their own. */
export const REASONING_BREAK = "\n\n";

/** Why the answer ended. An answer cut short says so even when it holds calls: their arguments may be incomplete. */
export function finishReason(
  response: Pick<ResponseObject, "status" | "incomplete_details">,
  hasCalls: boolean,
  body: ChatBody,
): FinishReason {
  if (response.incomplete_details?.reason === "content_filter") return "content_filter";
  if (response.incomplete_details || response.status === "incomplete") return "length";
  if (!hasCalls) return "stop";
  return isLegacy(body) ? "function_call" : "tool_calls";
}

/** True when the request declared `functions`: its calls come back as `function_call`. */
export function isLegacy(body: ChatBody): boolean {
  return Boolean(body.functions?.length) && !body.tools?.length;
}

function toUsage(usage: ResponsesUsage): ChatUsage {
  return {
    prompt_tokens: usage.input_tokens,
    completion_tokens: usage.output_tokens,
    total_tokens: usage.total_tokens ?? usage.input_tokens + usage.output_tokens,
    prompt_tokens_details: { cached_tokens: usage.input_tokens_details?.cached_tokens ?? 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: usage.output_tokens_details?.reasoning_tokens ?? 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

/** What several answers to one request used together; undefined when upstream told of none. */
export function sumUsage(usages: readonly (ResponsesUsage | null | undefined)[]): ChatUsage | undefined {
  let sum: ChatUsage | undefined;
  for (const usage of usages) {
    if (!usage) continue;
    const next = toUsage(usage);
    if (sum) {
      sum.prompt_tokens += next.prompt_tokens;
      sum.completion_tokens += next.completion_tokens;
      sum.total_tokens += next.total_tokens;
      sum.prompt_tokens_details.cached_tokens += next.prompt_tokens_details.cached_tokens;
      sum.completion_tokens_details.reasoning_tokens += next.completion_tokens_details.reasoning_tokens;
    } else sum = next;
  }
  return sum;
}

/** The tier that served the request, where it is one of Chat's own names. */
export function toServiceTier(response: ResponseObject): ServiceTier | undefined {
  return TIERS.has(response.service_tier) ? (response.service_tier as ServiceTier) : undefined;
}

/** A tool call in Chat's form; undefined for any other item. */
export function toToolCall(item: OutputItem): ToolCall | undefined {
  if (item.type === "function_call") {
    return { id: item.call_id, type: "function", function: { name: item.name, arguments: item.arguments ?? "" } };
  }
  if (item.type === "custom_tool_call") {
    return { id: item.call_id, type: "custom", custom: { name: item.name, input: item.input ?? "" } };
  }
  return undefined;
}

/** The text of a message's parts; a refusal is no text. */
export function textOf(parts: readonly OutputPart[] = []): string {
  let text = "";
  for (const part of parts) if (part.type === "output_text") text += part.text;
  return text;
}

export function refusalOf(parts: readonly OutputPart[] = []): string {
  let refusal = "";
  for (const part of parts) if (part.type === "refusal") refusal += part.refusal;
  return refusal;
}

/** A reasoning item's summary as one text. */
export function summaryOf(item: OutputItem & { type: "reasoning" }): string {
  const texts = (item.summary ?? []).map((part) => part.text).filter((text) => text !== "");
  return texts.join(REASONING_BREAK);
}

/**
 * The citations of a message's parts.
 * @param offset Length of the answer's text before this message: upstream counts from the part's own start.
 */
export function citationsOf(parts: readonly OutputPart[] | undefined, offset: number): UrlCitation[] {
  const citations: UrlCitation[] = [];
  let start = offset;
  for (const part of parts ?? []) {
    if (part.type !== "output_text") continue;
    for (const annotation of part.annotations ?? []) {
      if (isObject(annotation) && annotation.type === "url_citation") citations.push(toCitation(annotation, start));
    }
    start += part.text.length;
  }
  return citations;
}

function toCitation(annotation: JsonObject, offset: number): UrlCitation {
  const { start_index, end_index, title, url } = annotation;
  return {
    type: "url_citation",
    url_citation: {
      start_index: offset + (typeof start_index === "number" ? start_index : 0),
      end_index: offset + (typeof end_index === "number" ? end_index : 0),
      title: typeof title === "string" ? title : "",
      url: typeof url === "string" ? url : "",
    },
  };
}
