import type { Dialect } from "../dialect.ts";
import { toErrorBody, toErrorStatus } from "./errors.ts";
import { isStream, toCanonical } from "./request.ts";
import { fromCanonical } from "./response.ts";
import { type ChatBody, readRequest } from "./schema.ts";
import { createEncoder, finishCopies } from "./stream.ts";

export type { ChatBody } from "./schema.ts";

/** OpenAI's Chat Completions API (https://platform.openai.com/docs/api-reference/chat). */
export const chatDialect: Dialect<ChatBody> = {
  name: "chat",
  readRequest,
  toCanonical,
  isStream,
  fromCanonical,
  createEncoder,
  finishCopies,
  toErrorBody,
  toErrorStatus,
};
