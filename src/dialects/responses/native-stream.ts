import type { UpstreamEvent } from "../../canonical/event.ts";
import { isTerminal } from "../../canonical/event.ts";
import { encodeEvent, KEEP_ALIVE_COMMENT } from "../../sse/encode.ts";
import type { AnswerContext, StreamEncoder } from "../dialect.ts";
import { toErrorObject } from "./errors.ts";

/**
 * The stream of a client that is Codex: every event as upstream sent it, Codex's own ones included. A failure is told by
 * `response.failed`, because Codex does not read `error` events.
 */
export function createNativeEncoder(context: Pick<AnswerContext, "id">): StreamEncoder {
  let ended = false;
  return {
    push(event: UpstreamEvent) {
      if (ended) return "";
      if (isTerminal(event.type)) ended = event.type !== "error";
      return `event: ${event.type}\ndata: ${event.data}\n\n`;
    },
    fail(error) {
      if (ended) return "";
      ended = true;
      const { code, message } = toErrorObject(error);
      const response = { id: `resp_${context.id}`, status: "failed", error: { code, message } };
      return encodeEvent("response.failed", { type: "response.failed", response });
    },
    keepAlive: () => (ended ? "" : KEEP_ALIVE_COMMENT),
  };
}
