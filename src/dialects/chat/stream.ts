import type { ResponseObject, ResponsesUsage, UpstreamEvent } from "../../canonical/event.ts";
import { failureOfEvent } from "../../canonical/failure.ts";
import { type ProxyError, toProxyError } from "../../errors.ts";
import { encodeData, KEEP_ALIVE_COMMENT } from "../../sse/encode.ts";
import type { AnswerContext, StreamEncoder } from "../dialect.ts";
import { createChoiceTeller } from "./choice.ts";
import { type ChunkWriter, createChunkWriter, wantsUsage } from "./chunk.ts";
import { toErrorBody } from "./errors.ts";
import type { ChatBody } from "./schema.ts";
import { finishReason, isLegacy, sumUsage, toServiceTier } from "./vocabulary.ts";

const DONE = "data: [DONE]\n\n";

/** How one choice's stream ended, for the end of a stream that carries several. */
interface ChatEncoder extends StreamEncoder {
  readonly writer: ChunkWriter;
  readonly outcome: { ended: boolean; failed: boolean; usage: ResponsesUsage | undefined };
}

/**
 * Encodes one upstream stream as Chat chunks
 * (https://platform.openai.com/docs/api-reference/chat-streaming). Ends with `[DONE]` only when the answer is complete:
 * after an error chunk the stream just ends, so that no client takes half an answer for a whole one.
 * Of several choices, each ends with its finish reason; `finishCopies` then ends the stream.
 */
export function createEncoder(body: ChatBody, context: AnswerContext): StreamEncoder {
  const writer = createChunkWriter(body, context);
  const choice = createChoiceTeller(writer, isLegacy(body));
  const outcome: ChatEncoder["outcome"] = { ended: false, failed: false, usage: undefined };

  function finish(response: ResponseObject, incomplete: boolean): string {
    const out = choice.end(response.output ?? []);
    outcome.ended = true;
    outcome.usage = response.usage ?? undefined;
    const reason = finishReason(
      incomplete ? { ...response, status: "incomplete" } : response,
      choice.calls() > 0,
      body,
    );
    const end = out + writer.finish(reason, toServiceTier(response));
    return context.choice.of > 1 ? end : end + endStream(body, writer, [outcome.usage]);
  }

  function fail(error: ProxyError): string {
    if (outcome.ended) return "";
    outcome.ended = true;
    outcome.failed = true;
    return encodeData(toErrorBody(error));
  }

  function push(event: UpstreamEvent): string {
    if (outcome.ended) return "";
    switch (event.type) {
      case "response.output_text.delta":
      case "response.refusal.delta":
      case "response.reasoning_summary_text.delta":
      case "response.function_call_arguments.delta":
      case "response.custom_tool_call_input.delta":
        return choice.delta(event);
      case "response.output_item.added":
        return choice.added(event);
      case "response.output_item.done":
        return choice.done(event);
      case "response.completed":
      case "response.incomplete": {
        const value = event.value;
        const failure = failureOfEvent(value);
        if (failure) return fail(failure);
        return "response" in value ? finish(value.response, event.type === "response.incomplete") : "";
      }
      case "response.failed":
      case "error":
        return fail(failureOfEvent(event.value) ?? toProxyError(undefined));
      default:
        return "";
    }
  }

  const encoder: ChatEncoder = { push, fail, keepAlive: () => KEEP_ALIVE_COMMENT, writer, outcome };
  return encoder;
}

/** Ends a stream of several choices, once each has ended: the usage of all, then `[DONE]`. Nothing after a failure. */
export function finishCopies(encoders: readonly StreamEncoder[], body: ChatBody): string {
  const copies = encoders.filter(isChatEncoder);
  const first = copies[0];
  if (!first || copies.length < 2 || copies.some(({ outcome }) => outcome.failed || !outcome.ended)) return "";
  const usages = copies.map(({ outcome }) => outcome.usage);
  return endStream(body, first.writer, usages);
}

function endStream(body: ChatBody, writer: ChunkWriter, usages: readonly (ResponsesUsage | undefined)[]): string {
  const usage = wantsUsage(body) ? sumUsage(usages) : undefined;
  return usage ? writer.usage(usage) + DONE : DONE;
}

function isChatEncoder(encoder: StreamEncoder): encoder is ChatEncoder {
  return "outcome" in encoder;
}
