import type OpenAI from "openai";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { OutputItem } from "../../../../src/canonical/event.ts";
import { failureOf } from "../../../../src/canonical/failure.ts";
import { toErrorObject } from "../../../../src/dialects/responses/errors.ts";
import { responsesDialect } from "../../../../src/dialects/responses/index.ts";
import { type ErrorKind, ProxyError } from "../../../../src/errors.ts";
import { bodyOf, context, eventsOf, whole } from "./support.ts";

type Response = OpenAI.Responses.Response;

/** Fields that both OpenAI's schema and Open Responses require of every response object. */
const REQUIRED = [
  "access_programs",
  "id",
  "object",
  "created_at",
  "completed_at",
  "status",
  "incomplete_details",
  "model",
  "previous_response_id",
  "instructions",
  "output",
  "error",
  "tools",
  "tool_choice",
  "truncation",
  "parallel_tool_calls",
  "text",
  "top_p",
  "presence_penalty",
  "frequency_penalty",
  "top_logprobs",
  "temperature",
  "reasoning",
  "usage",
  "max_output_tokens",
  "max_tool_calls",
  "store",
  "background",
  "service_tier",
  "metadata",
  "safety_identifier",
  "prompt_cache_key",
];

describe("fromCanonical", () => {
  it.each(["minimal.sse", "text-with-reasoning.sse", "function-call.sse", "custom-tool-and-web-search.sse"])(
    "gives every field of the schema for %s",
    (name) => {
      const response = whole(eventsOf(name));
      for (const field of REQUIRED) expect(response, field).toHaveProperty(field);
      expect(response?.usage).toMatchObject({
        input_tokens_details: { cached_tokens: expect.any(Number), cache_write_tokens: expect.any(Number) },
        output_tokens_details: { reasoning_tokens: expect.any(Number) },
        total_tokens: expect.any(Number),
      });
    },
  );

  it("gives every item its id, status and lists", () => {
    const output: OutputItem[] = [
      {
        type: "message",
        role: "assistant",
        content: [
          { type: "output_text", text: "a" },
          { type: "refusal", refusal: "no" },
        ],
      },
      { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
      { type: "reasoning", summary: [], content: null, encrypted_content: "e" },
      { type: "web_search_call" },
    ];
    const [answer] = [{ id: "resp_1", status: "completed" as const, output }];
    const response = responsesDialect.fromCanonical([answer], bodyOf(), context) as Response;
    expect(response.output).toEqual([
      {
        type: "message",
        id: "msg_ctx1_0",
        status: "completed",
        role: "assistant",
        content: [
          { type: "output_text", text: "a", annotations: [], logprobs: [] },
          { type: "refusal", refusal: "no" },
        ],
      },
      { type: "function_call", id: "fc_ctx1_1", status: "completed", call_id: "c", name: "f", arguments: "{}" },
      { type: "reasoning", id: "rs_ctx1_2", summary: [], encrypted_content: "e" },
      { type: "web_search_call", id: "ws_ctx1_3", status: "completed", action: { type: "search", query: "" } },
    ]);
  });

  it("echoes the request's parameters, not those of the translated request", () => {
    const sent = {
      model: "my-alias",
      instructions: "be brief",
      temperature: 0.2,
      top_p: 0.5,
      max_output_tokens: 64,
      metadata: { a: "b" },
      store: false,
      previous_response_id: "resp_0",
      parallel_tool_calls: false,
      user: "u",
      tool_choice: { type: "function", name: "f" },
      tools: [{ type: "function", name: "f" }],
      text: { format: { type: "json_schema", name: "n", schema: {} }, verbosity: "low" },
      reasoning_effort: "high",
    };
    const upstream = {
      id: "resp_9",
      status: "completed" as const,
      output: [],
      model: "gpt-6-sol",
      instructions: "other",
      store: false,
      tools: [],
      temperature: 1,
      service_tier: "priority",
      prompt_cache_key: "hash",
      reasoning: { effort: "low" },
    };
    expect(responsesDialect.fromCanonical([upstream], bodyOf(sent), context)).toMatchObject({
      id: "resp_9",
      model: "my-alias",
      instructions: "be brief",
      temperature: 0.2,
      top_p: 0.5,
      max_output_tokens: 64,
      metadata: { a: "b" },
      store: false,
      previous_response_id: "resp_0",
      parallel_tool_calls: false,
      user: "u",
      tool_choice: sent.tool_choice,
      service_tier: "priority",
      prompt_cache_key: "",
      tools: [{ type: "function", name: "f", description: null, parameters: null, strict: true }],
      text: {
        format: { type: "json_schema", name: "n", schema: {}, strict: false, description: "" },
        verbosity: "low",
      },
      reasoning: { effort: "high", summary: null },
    });
  });

  it("takes upstream's id only where it looks like one", () => {
    const answer = (id: string) =>
      responsesDialect.fromCanonical([{ id, status: "completed", output: [] }], bodyOf(), context);
    expect(answer("resp_abc")).toMatchObject({ id: "resp_abc", created_at: context.createdAt });
    for (const id of ["", "r", "resp_", `resp_${"x".repeat(80)}`])
      expect(answer(id)).toMatchObject({ id: "resp_ctx1" });
  });

  it("agrees with the SDK's types in the parts that this program builds", () => {
    expectTypeOf<{
      code: string;
      message: string;
      param: string | null;
      type: "error";
      sequence_number: number;
    }>().toExtend<OpenAI.Responses.ResponseErrorEvent>();
    expectTypeOf<ReturnType<typeof toErrorObject>>().toExtend<OpenAI.ErrorObject>();
    expectTypeOf<"response">().toExtend<Response["object"]>();
    expectTypeOf<{
      cache_write_tokens: number;
      cached_tokens: number;
    }>().toExtend<OpenAI.Responses.ResponseUsage.InputTokensDetails>();
  });
});

describe("errors", () => {
  it.each([
    ["invalid_request", 400, "invalid_request_error", null],
    ["unauthorized", 401, "invalid_request_error", "invalid_api_key"],
    ["model_not_found", 404, "invalid_request_error", "model_not_found"],
    ["context_overflow", 400, "invalid_request_error", "context_length_exceeded"],
    ["rate_limit", 429, "rate_limit_error", "rate_limit_exceeded"],
    ["quota", 429, "insufficient_quota", "insufficient_quota"],
    ["overloaded", 503, "server_error", "server_is_overloaded"],
    ["unsupported", 501, "invalid_request_error", "unsupported"],
    ["internal", 500, "server_error", "server_error"],
  ] as [ErrorKind, number, string, string | null][])("%s is %i %s", (kind, status, type, code) => {
    const error = new ProxyError(kind, "what happened");
    expect(responsesDialect.toErrorStatus(error)).toBe(status);
    expect(responsesDialect.toErrorBody(error, "r")).toEqual({
      error: { message: "what happened", type, param: null, code },
    });
  });

  it("keeps the shape of a used-up plan, by which Codex clients know it", () => {
    const upstream = {
      type: "usage_limit_reached",
      message: "The usage limit has been reached",
      plan_type: "plus",
      resets_at: 1_795_386_574,
      resets_in_seconds: 7200,
    };
    const error = failureOf(upstream);
    expect(responsesDialect.toErrorStatus(error)).toBe(429);
    expect(responsesDialect.toErrorBody(error, "r")).toEqual({
      error: { ...upstream, param: null, code: "usage_limit_reached" },
    });
  });

  it("keeps upstream's code and parameter", () => {
    const error = new ProxyError("invalid_request", "bad", {
      code: "previous_response_not_found",
      param: "previous_response_id",
    });
    expect(toErrorObject(error)).toMatchObject({ code: "previous_response_not_found", param: "previous_response_id" });
  });
});
