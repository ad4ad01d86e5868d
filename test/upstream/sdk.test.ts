import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DEFAULT_ACCOUNT, DEFAULT_API_KEY, mintToken, startUpstream, type Upstream } from "./index.ts";

/** The official client assembles the double's answers: their shapes are upstream's. */

let upstream: Upstream;
let platform: OpenAI;
let seat: OpenAI;
beforeAll(async () => {
  upstream = await startUpstream({ fillOutput: true });
  platform = new OpenAI({ baseURL: upstream.openaiBaseUrl, apiKey: DEFAULT_API_KEY, maxRetries: 0 });
  const headers = { "chatgpt-account-id": DEFAULT_ACCOUNT, accept: "text/event-stream" };
  seat = new OpenAI({ baseURL: upstream.chatgptBaseUrl, apiKey: mintToken(), maxRetries: 0, defaultHeaders: headers });
});
afterAll(() => upstream.close());

const add = {
  type: "function" as const,
  name: "add",
  strict: true,
  parameters: { type: "object", properties: { a: { type: "integer" } }, required: ["a"], additionalProperties: false },
};

test("a whole answer of the platform", async () => {
  const response = await platform.responses.create({ model: "gpt-5.5", input: "hi" });
  expect(response.output_text).toBe("You said: hi 👋🌍 — done.");
});

test("a streamed answer of the seat, with parallel calls, reasoning and a citation", async () => {
  const ask = (input: string, extra: object) =>
    seat.responses
      .stream({
        model: "gpt-5.5",
        instructions: "Be brief.",
        input: [{ role: "user", content: input }],
        store: false,
        reasoning: { effort: "low", summary: "auto" },
        ...extra,
      })
      .finalResponse();
  const calls = await ask('[[tool name=add args={"a":1}]] [[tool name=add args={"a":2}]]', { tools: [add] });
  expect(calls.output.map((item) => item.type)).toEqual(["reasoning", "function_call", "function_call"]);
  expect(calls.output.flatMap((item) => (item.type === "function_call" ? [item.arguments] : []))).toEqual([
    '{"a":1}',
    '{"a":2}',
  ]);
  const search = await ask("[[search cats]]", { tools: [{ type: "web_search" }] });
  expect(search.output.map((item) => item.type)).toEqual(["reasoning", "web_search_call", "message"]);
  expect(search.output_text).toBe("Results for cats (example.com).");
});

test("a streamed chat completion with a tool call", async () => {
  const { parameters, name, strict } = add;
  const stream = platform.chat.completions.stream({
    model: "gpt-5.5",
    messages: [{ role: "user", content: '[[tool name=add args={"a":7}]]' }],
    tools: [{ type: "function", function: { name, parameters, strict } }],
    stream_options: { include_usage: true },
  });
  const completion = await stream.finalChatCompletion();
  expect(completion.choices[0]?.message.tool_calls?.[0]).toMatchObject({
    function: { name: "add", arguments: '{"a":7}' },
  });
  expect(completion.usage?.total_tokens).toBeGreaterThan(0);
});

test("errors become the client's own classes", async () => {
  upstream.script("/v1/responses", { fixture: "http-429-rate-limit.json" });
  await expect(platform.responses.create({ model: "gpt-5.5", input: "hi" })).rejects.toBeInstanceOf(
    OpenAI.RateLimitError,
  );
  await expect(platform.responses.create({ model: "nope", input: "hi" })).rejects.toBeInstanceOf(OpenAI.NotFoundError);
});
