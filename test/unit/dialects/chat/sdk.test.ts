import OpenAI from "openai";
import { ChatCompletionStream } from "openai/lib/ChatCompletionStream";
import { describe, expect, it } from "vitest";
import type { CanonicalEvent, UpstreamEvent } from "../../../../src/canonical/event.ts";
import { chatDialect } from "../../../../src/dialects/chat/index.ts";
import { toProxyError } from "../../../../src/errors.ts";
import { collect, context, encode, fixtureEvents, made } from "./support.ts";

/** OpenAI's client, each of whose requests is answered from the next upstream stream. */
function client(...streams: UpstreamEvent[][]) {
  const sent: Record<string, unknown>[] = [];
  const answer = async (_: unknown, init?: RequestInit): Promise<Response> => {
    const json = JSON.parse(String(init?.body));
    const events = streams[sent.push(json) - 1] ?? [];
    try {
      const body = chatDialect.readRequest(json);
      chatDialect.toCanonical(body, () => undefined);
      if (chatDialect.isStream(body)) {
        return new Response(encode(events, body), { headers: { "content-type": "text/event-stream" } });
      }
      return Response.json(chatDialect.fromCanonical([collect(events)], body, context()));
    } catch (cause) {
      const error = toProxyError(cause);
      return Response.json(chatDialect.toErrorBody(error, "req"), { status: chatDialect.toErrorStatus(error) });
    }
  };
  return { sent, openai: new OpenAI({ apiKey: "k", baseURL: "http://localhost/v1", fetch: answer, maxRetries: 0 }) };
}

const ask = { model: "gpt-x", messages: [{ role: "user" as const, content: "hi" }] };
const tools = [
  { type: "function" as const, function: { name: "add", parameters: { type: "object", properties: {} } } },
];
const completed: CanonicalEvent = { type: "response.completed", response: { id: "r", status: "completed" } };
const item = (id: string, args: string) =>
  ({ type: "function_call", call_id: id, name: "add", arguments: args }) as const;
const calls = () =>
  made([
    { type: "response.output_item.added", output_index: 0, item: item("c1", "") },
    { type: "response.output_item.added", output_index: 1, item: item("c2", "") },
    { type: "response.function_call_arguments.delta", output_index: 1, delta: '{"a":' },
    { type: "response.function_call_arguments.delta", output_index: 0, delta: '{"a":1}' },
    { type: "response.function_call_arguments.delta", output_index: 1, delta: "2}" },
    { type: "response.output_item.done", output_index: 0, item: item("c1", '{"a":1}') },
    { type: "response.output_item.done", output_index: 1, item: item("c2", '{"a":2}') },
    completed,
  ]);
const texts = (text: string) =>
  made([
    { type: "response.output_item.added", output_index: 0, item: { type: "message", role: "assistant", content: [] } },
    { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: text.slice(0, 3) },
    { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: text.slice(3) },
    completed,
  ]);
const refusal = made([
  {
    type: "response.output_item.done",
    output_index: 0,
    item: { type: "message", role: "assistant", content: [{ type: "refusal", refusal: "no" }] },
  },
  completed,
]);

describe("OpenAI's client", () => {
  it("reads a whole answer with its usage", async () => {
    const { openai } = client(fixtureEvents("text-with-reasoning.sse"));
    const completion = await openai.chat.completions.create(ask);
    expect(completion.choices[0]).toMatchObject({ message: { content: "pong" }, finish_reason: "stop" });
    expect(completion.usage?.completion_tokens_details?.reasoning_tokens).toBe(10);
  });

  it("puts a stream together, usage included", async () => {
    const { openai } = client(fixtureEvents("text-with-reasoning.sse"));
    const stream = openai.chat.completions.stream({ ...ask, stream_options: { include_usage: true } });
    const final = await stream.finalChatCompletion();
    expect(final).toMatchObject({
      id: "chatcmpl-abc",
      choices: [{ message: { content: "pong" }, finish_reason: "stop" }],
    });
    expect(await stream.totalUsage()).toMatchObject({ prompt_tokens: 120, total_tokens: 138 });
  });

  it("reads a stream handed on as bytes", async () => {
    const { openai } = client(calls());
    const stream = await openai.chat.completions.create({ ...ask, tools, stream: true });
    const final = await ChatCompletionStream.fromReadableStream(stream.toReadableStream()).finalChatCompletion();
    expect(final.choices[0]?.message.tool_calls?.map((call) => call.id)).toEqual(["c1", "c2"]);
  });

  it.each([false, true])("runs interleaved tool calls to the end, stream: %s", async (stream) => {
    const { openai, sent } = client(calls(), texts("three"));
    const seen: unknown[] = [];
    const run = {
      ...ask,
      tools: [
        {
          type: "function" as const,
          function: {
            name: "add",
            description: "",
            parameters: { type: "object", properties: { a: { type: "number" } } },
            parse: JSON.parse,
            function: (args: unknown) => {
              seen.push(args);
              return "ok";
            },
          },
        },
      ],
    };
    const runner = stream
      ? openai.chat.completions.runTools({ ...run, stream: true as const })
      : openai.chat.completions.runTools(run);
    expect(await runner.finalContent()).toBe("three");
    expect(seen).toEqual([{ a: 1 }, { a: 2 }]);
    expect((sent[1]?.messages as unknown[] | undefined)?.slice(1)).toMatchObject([
      { role: "assistant", tool_calls: [{ id: "c1" }, { id: "c2" }] },
      { role: "tool", tool_call_id: "c1" },
      { role: "tool", tool_call_id: "c2" },
    ]);
  });

  it("puts custom tool calls together", async () => {
    const { openai } = client(fixtureEvents("custom-tool-and-web-search.sse"));
    const final = await openai.chat.completions.stream(ask).finalChatCompletion();
    expect(final.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: { tool_calls: [{ id: "call_2", type: "custom", custom: { name: "apply_patch" } }] },
    });
  });

  const response_format = { type: "json_schema" as const, json_schema: { name: "r", strict: true, schema: {} } };

  it("parses structured output, whole and streamed", async () => {
    const { openai } = client(texts('{"a":1}'), texts('{"a":1}'));
    const whole = await openai.chat.completions.parse({ ...ask, response_format });
    expect(whole.choices[0]?.message.parsed).toEqual({ a: 1 });
    const streamed = await openai.chat.completions.stream({ ...ask, response_format }).finalChatCompletion();
    expect(streamed.choices[0]?.message.parsed).toEqual({ a: 1 });
  });

  it("sees a refusal, whole and streamed", async () => {
    const { openai } = client(refusal, refusal);
    const whole = await openai.chat.completions.parse({ ...ask, response_format });
    const streamed = await openai.chat.completions.stream({ ...ask, response_format }).finalChatCompletion();
    for (const { choices } of [whole, streamed]) {
      expect(choices[0]?.message).toMatchObject({ refusal: "no", parsed: null });
    }
  });

  it("throws on an error chunk instead of ending as if all were well", async () => {
    const { openai } = client(fixtureEvents("failed-context_length_exceeded.sse"));
    const stream = await openai.chat.completions.create({ ...ask, stream: true });
    const read = async () => {
      for await (const _ of stream);
    };
    await expect(read()).rejects.toMatchObject({ code: "context_length_exceeded", type: "invalid_request_error" });
  });

  it("throws a class of its own for a refused request, with the parameter", async () => {
    const { openai } = client();
    const bad = { ...ask, messages: [{ role: "user", content: 5 }] } as unknown as typeof ask;
    const failure = await openai.chat.completions.create(bad).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(OpenAI.BadRequestError);
    expect(failure).toMatchObject({
      param: "messages[0].content",
      message: expect.stringContaining("must be a string"),
    });
  });
});
