import type { CanonicalResponse } from "../../canonical/response.ts";
import type { AnswerContext, Dialect } from "../dialect.ts";
import { toErrorBody, toErrorStatus } from "./errors.ts";
import { toCanonical } from "./request.ts";
import { toResponseObject } from "./response.ts";
import { type ResponsesClientBody, readRequest } from "./schema.ts";
import { createEncoder } from "./stream.ts";

/** OpenAI's Responses API. */
export const responsesDialect: Dialect<ResponsesClientBody> = {
  name: "responses",
  readRequest,
  toCanonical,
  isStream: (body) => body.stream === true,
  fromCanonical: ([answer], body, context: AnswerContext) =>
    toResponseObject(answer as CanonicalResponse, body, context),
  createEncoder,
  toErrorBody,
  toErrorStatus,
};
