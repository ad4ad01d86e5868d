import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { useApp } from "../app/support/app.ts";
import type { Behaviour } from "../upstream/index.ts";
import { expectLegal, framesOf, type Json } from "./expect-legal.ts";

const UPSTREAM = "/backend-api/codex/responses";
const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const STREAMS = readdirSync(new URL("../fixtures/upstream/responses/", import.meta.url)).filter((name) =>
  name.endsWith(".sse"),
);

const parameters = { type: "object", properties: { a: { type: "integer" } }, required: ["a"] };
const add = { type: "function", function: { name: "add", description: "Adds.", parameters } };
const ask = (content: unknown) => [{ role: "user", content }];
const title = {
  type: "object",
  properties: { title: { type: "string" } },
  required: ["title"],
  additionalProperties: false,
};
const call = { id: "call_1", type: "function", function: { name: "add", arguments: '{"a":1}' } };

/** Requests of every kind, and how their first choice ends. */
const REQUESTS: Record<string, { body: Json; ends?: string; upstream?: Behaviour }> = {
  text: { body: { messages: ask("hello") }, ends: "stop" },
  "every parameter": {
    body: {
      messages: [{ role: "system", content: "Be kind." }, ...ask("hello")],
      audio: null,
      frequency_penalty: 0.5,
      presence_penalty: 0.5,
      logit_bias: { 1: 1 },
      logprobs: true,
      top_logprobs: 2,
      max_completion_tokens: 500,
      metadata: { a: "b" },
      modalities: ["text"],
      parallel_tool_calls: false,
      prompt_cache_key: "k",
      reasoning_effort: "high",
      safety_identifier: "s",
      seed: 1,
      service_tier: "priority",
      stop: ["never"],
      store: true,
      temperature: 0.5,
      top_p: 0.5,
      user: "u",
      verbosity: "low",
    },
    ends: "stop",
  },
  choices: { body: { messages: ask("hello"), n: 3 }, ends: "stop" },
  usage: { body: { messages: ask("[[reason]] hello"), stream_options: { include_usage: true } }, ends: "stop" },
  "an image": {
    body: {
      messages: ask([
        { type: "text", text: "look" },
        { type: "image_url", image_url: { url: PIXEL } },
      ]),
    },
    ends: "stop",
  },
  "a tool call": { body: { messages: ask('[[tool name=add args={"a":1}]]'), tools: [add] }, ends: "tool_calls" },
  "tool calls side by side": {
    body: { messages: ask('[[tool name=add args={"a":1}]] [[tool name=add args={"a":2}]]'), tools: [add] },
    ends: "tool_calls",
  },
  "a custom tool call": {
    body: { messages: ask("[[tool name=run args=ls -l]]"), tools: [{ type: "custom", custom: { name: "run" } }] },
    ends: "tool_calls",
  },
  "a legacy function call": {
    body: { messages: ask('[[tool name=add args={"a":1}]]'), functions: [add.function], function_call: "auto" },
    ends: "function_call",
  },
  "a tool result": {
    body: {
      messages: [
        ...ask("add"),
        { role: "assistant", content: null, tool_calls: [call] },
        { role: "tool", tool_call_id: "call_1", content: "1" },
      ],
      tools: [add],
    },
    ends: "stop",
  },
  refusal: { body: { messages: ask("[[refuse]]") }, ends: "stop" },
  reasoning: { body: { messages: ask("[[reason]] why"), reasoning_effort: "high" }, ends: "stop" },
  "web search": { body: { messages: ask("[[search cats]]"), web_search_options: {} }, ends: "stop" },
  "structured output": {
    body: {
      messages: ask("title"),
      response_format: { type: "json_schema", json_schema: { name: "t", schema: title, strict: true } },
    },
    ends: "stop",
  },
  "JSON mode": { body: { messages: ask("Give JSON."), response_format: { type: "json_object" } }, ends: "stop" },
  "a stop string": { body: { messages: ask("[[long 50]]"), stop: "w7" }, ends: "stop" },
  "max tokens": { body: { messages: ask("[[long 200]]"), max_tokens: 8 }, ends: "length" },
  "upstream incomplete: max_output_tokens": {
    body: { messages: ask("hello") },
    upstream: { terminal: { incomplete: "max_output_tokens" } },
    ends: "length",
  },
  "upstream incomplete: content_filter": {
    body: { messages: ask("hello") },
    upstream: { terminal: { incomplete: "content_filter" } },
    ends: "content_filter",
  },
  "content in finished items only": {
    body: { messages: ask("[[reason]] hello") },
    upstream: { doneItemsOnly: true },
    ends: "stop",
  },
  "events of no document": { body: { messages: ask("hello") }, upstream: { unknownEvents: true }, ends: "stop" },
};

describe.each(["gpt-5.5", "gpt-6.1-sol", "gpt-6.1-sol-high"])("/v1/chat/completions with %s", (model) => {
  const app = useApp();

  it.each(Object.entries(REQUESTS))("%s", async (_name, { body, ends, upstream }) => {
    if (upstream) app.upstream.script(UPSTREAM, { ...upstream, times: 9 });
    const { stream_options, ...whole } = body;
    const response = await app.post("/v1/chat/completions", { model, ...whole });
    const answer = await response.json();
    expect([response.status, answer]).toEqual([200, expect.anything()]);
    expectLegal("CreateChatCompletionResponse", answer);
    expect(answer.choices[0].finish_reason).toBe(ends);

    const streamed = await app.post("/v1/chat/completions", { model, ...body, stream: true });
    const text = await streamed.text();
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
    const chunks = framesOf(text).map(({ data }) => expectLegal("CreateChatCompletionStreamResponse", data));
    const reasons = chunks.flatMap((chunk) => chunk.choices).filter((choice: Json) => choice.finish_reason !== null);
    expect(reasons.map((choice: Json) => choice.finish_reason)).toEqual(
      answer.choices.map((choice: Json) => choice.finish_reason),
    );
    expect(chunks.at(-1).usage?.total_tokens > 0).toBe(stream_options?.include_usage ?? false);
  });

  it.each(STREAMS)("the stream %s", async (fixture) => {
    app.upstream.script(UPSTREAM, { fixture, times: 9 });
    const whole = await app.post("/v1/chat/completions", { model, messages: ask("hello") });
    expectLegal(whole.ok ? "CreateChatCompletionResponse" : "ErrorResponse", await whole.json());
    app.upstream.reset();
    app.upstream.script(UPSTREAM, { fixture, times: 9 });
    const streamed = await app.post("/v1/chat/completions", { model, messages: ask("hello"), stream: true });
    if (!streamed.ok) return void expectLegal("ErrorResponse", await streamed.json());
    for (const { data } of framesOf(await streamed.text())) {
      expectLegal("error" in data ? "ErrorResponse" : "CreateChatCompletionStreamResponse", data);
    }
  });

  it.each([
    ["a failure", { terminal: { failed: "server_error" }, afterEvents: 6 }],
    ["an error event", { terminal: { error: { message: "broken" } }, afterEvents: 6 }],
    ["no end", { terminal: "none" }],
    ["a cut", { cut: "mid-event", afterEvents: 6 }],
  ] as const)("tells %s in a stream", async (_name, behaviour) => {
    app.upstream.script(UPSTREAM, { ...(behaviour as Behaviour), times: 9 });
    const streamed = await app.post("/v1/chat/completions", { model, messages: ask("[[long 30]]"), stream: true });
    const frames = framesOf(await streamed.text());
    expectLegal("ErrorResponse", frames.at(-1)?.data);
    for (const { data } of frames.slice(0, -1)) expectLegal("CreateChatCompletionStreamResponse", data);
  });
});
