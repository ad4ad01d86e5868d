import type { Dialect } from "../dialect.ts";
import { toErrorBody, toErrorStatus } from "./errors.ts";
import { readRequest } from "./read-request.ts";
import { toCanonical } from "./request.ts";
import { fromCanonical } from "./response.ts";
import type { MessagesBody } from "./schema.ts";
import { createEncoder } from "./stream.ts";

/** The Anthropic Messages API (https://platform.claude.com/docs/en/api/messages). */
export const messagesDialect: Dialect<MessagesBody> = {
  name: "messages",
  readRequest,
  toCanonical,
  isStream: (body) => body.stream === true,
  fromCanonical,
  createEncoder,
  toErrorBody,
  toErrorStatus,
};
