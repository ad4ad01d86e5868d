import type { CanonicalResponse } from "../canonical/response.ts";
import type { Exchange } from "../exchange.ts";
import type { Log } from "../observability/log.ts";

/** Event names by API: those of Chat are the original's. */
const PREFIX = { chat: "chat_completion", messages: "anthropic_message", responses: "response" } as const;

/**
 * With debug logging, what was asked and what was answered, a stream's answer after it ended. Built only then.
 * @returns `onAnswer` that also logs; the same one when nothing is to be logged.
 */
export function logMessages(
  log: Log,
  exchange: Exchange,
  api: keyof typeof PREFIX,
  asked: unknown,
  onAnswer: ((answer: CanonicalResponse, id: string) => void) | undefined,
): { onAnswer?: (answer: CanonicalResponse, id: string) => void } {
  if (!log.debugEnabled) return onAnswer ? { onAnswer } : {};
  const common = { request_id: exchange.requestId };
  log.write("messages", "debug", `${PREFIX[api]}_input_messages`, { ...common, messages: asked });
  return {
    onAnswer(answer, id) {
      log.write("messages", "debug", `${PREFIX[api]}_output_message`, { ...common, message: answer.output });
      onAnswer?.(answer, id);
    },
  };
}
