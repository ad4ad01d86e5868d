import type { CanonicalResponse } from "../../canonical/response.ts";
import type { AnswerContext } from "../dialect.ts";
import { type AnswerBlock, thinkingView, toBlocks } from "./blocks.ts";
import type { MessagesBody } from "./schema.ts";
import { type MessagesUsage, messageId, noFacts, noteItem, type StopFields, toStop, toUsage } from "./vocabulary.ts";

/** A whole answer (https://platform.claude.com/docs/en/api/messages). */
export interface MessagesAnswer extends StopFields {
  id: string;
  type: "message";
  role: "assistant";
  /** As the client named it. */
  model: string;
  content: AnswerBlock[];
  usage: MessagesUsage;
}

export function fromCanonical(
  responses: readonly CanonicalResponse[],
  body: MessagesBody,
  context: AnswerContext,
): MessagesAnswer {
  const [response] = responses;
  const facts = noFacts();
  const output = response?.output ?? [];
  for (const item of output) noteItem(facts, item);
  return {
    id: messageId(context),
    type: "message",
    role: "assistant",
    model: body.model,
    content: toBlocks(output, thinkingView(body)),
    ...toStop(response ?? { id: "" }, facts),
    usage: toUsage(response?.usage, facts, context),
  };
}
