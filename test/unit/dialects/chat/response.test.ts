import type OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { OutputItem, OutputPart } from "../../../../src/canonical/event.ts";
import type { CanonicalResponse } from "../../../../src/canonical/response.ts";
import { fromCanonical } from "../../../../src/dialects/chat/response.ts";
import { context, read } from "./support.ts";

const text = (value: string, annotations: OutputPart["annotations"] = []): OutputPart =>
  ({ type: "output_text", text: value, annotations }) as OutputPart;
const message = (...content: OutputPart[]): OutputItem => ({ type: "message", role: "assistant", content });
const call = (id: string, args = "{}"): OutputItem => ({
  type: "function_call",
  call_id: id,
  name: "f",
  arguments: args,
});
const reasoning = (...texts: string[]): OutputItem => ({
  type: "reasoning",
  summary: texts.map((value) => ({ type: "summary_text", text: value })),
});
const answer = (output: OutputItem[], fields: Partial<CanonicalResponse> = {}): CanonicalResponse => ({
  id: "resp_1",
  status: "completed",
  output,
  ...fields,
});
const usage = {
  input_tokens: 120,
  input_tokens_details: { cached_tokens: 64 },
  output_tokens: 18,
  output_tokens_details: { reasoning_tokens: 10 },
  total_tokens: 138,
};
const choiceOf = (response: CanonicalResponse, fields: Record<string, unknown> = {}) =>
  fromCanonical([response], read(fields), context()).choices[0];

describe("fromCanonical", () => {
  it("gives a chat.completion that the OpenAI types accept", () => {
    const completion: OpenAI.Chat.ChatCompletion = fromCanonical(
      [answer([message(text(" pong\n"))], { usage, service_tier: "default" })],
      read(),
      context(),
    );
    expect(completion).toEqual({
      id: "chatcmpl-abc",
      object: "chat.completion",
      created: 1_795_378_814,
      model: "gpt-x",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: " pong\n", refusal: null, annotations: [] },
          logprobs: null,
          finish_reason: "stop",
        },
      ],
      usage: {
        prompt_tokens: 120,
        completion_tokens: 18,
        total_tokens: 138,
        prompt_tokens_details: { cached_tokens: 64, audio_tokens: 0 },
        completion_tokens_details: {
          reasoning_tokens: 10,
          audio_tokens: 0,
          accepted_prediction_tokens: 0,
          rejected_prediction_tokens: 0,
        },
      },
      service_tier: "default",
    });
  });

  const messages: [name: string, output: OutputItem[], message: Record<string, unknown>, finish: string][] = [
    ["an empty answer", [], { content: "", refusal: null }, "stop"],
    [
      "texts of several parts and messages",
      [message(text("a"), text("b")), message(text("c"))],
      { content: "abc" },
      "stop",
    ],
    [
      "calls without text",
      [call("c1"), call("c2", '{"a":1}')],
      {
        content: null,
        tool_calls: [
          { id: "c1", type: "function", function: { name: "f", arguments: "{}" } },
          { id: "c2", type: "function", function: { name: "f", arguments: '{"a":1}' } },
        ],
      },
      "tool_calls",
    ],
    ["text before calls", [message(text("see")), call("c1")], { content: "see" }, "tool_calls"],
    [
      "a custom call",
      [{ type: "custom_tool_call", call_id: "c1", name: "patch", input: "*** Begin" }],
      { content: null, tool_calls: [{ id: "c1", type: "custom", custom: { name: "patch", input: "*** Begin" } }] },
      "tool_calls",
    ],
    ["a refusal", [message({ type: "refusal", refusal: "no" })], { content: null, refusal: "no" }, "stop"],
    [
      "reasoning summaries as paragraphs",
      [reasoning("a", "", "b"), reasoning(), reasoning("c"), message(text("x"))],
      { content: "x", reasoning_content: "a\n\nb\n\nc" },
      "stop",
    ],
    ["items that Chat has no word for", [{ type: "web_search_call" }, message(text("x"))], { content: "x" }, "stop"],
  ];
  it.each(messages)("gives %s", (_, output, expected, finish) => {
    const choice = choiceOf(answer(output));
    expect(choice?.message).toMatchObject(expected);
    expect(choice?.finish_reason).toBe(finish);
    if (!("tool_calls" in expected) && finish === "stop") expect(choice?.message).not.toHaveProperty("tool_calls");
  });

  const endings: [fields: Partial<CanonicalResponse>, output: OutputItem[], finish: string][] = [
    [{ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }, [message(text("x"))], "length"],
    [{ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }, [call("c", '{"a')], "length"],
    [
      { status: "incomplete", incomplete_details: { reason: "content_filter" } },
      [message(text("x"))],
      "content_filter",
    ],
    [{ status: "incomplete" }, [], "length"],
    [{ local_stop: "END" }, [message(text("x"))], "stop"],
    [{ incomplete_details: null }, [message(text("x"))], "stop"],
  ];
  it.each(endings)("ends %j as it should", (fields, output, finish) => {
    expect(choiceOf(answer(output, fields))?.finish_reason).toBe(finish);
  });

  it("answers legacy functions with function_call", () => {
    const choice = choiceOf(answer([call("c1", '{"a":1}')]), { functions: [{ name: "f" }] });
    expect(choice?.finish_reason).toBe("function_call");
    expect(choice?.message).toMatchObject({ content: null, function_call: { name: "f", arguments: '{"a":1}' } });
    expect(choice?.message).not.toHaveProperty("tool_calls");
  });

  it("counts citations from the beginning of the whole text", () => {
    const citation = { type: "url_citation", start_index: 0, end_index: 2, title: "T", url: "https://x.test" };
    const output = [message(text("abc")), message(text("de"), text("fg", [citation, { type: "file_citation" }]))];
    expect(choiceOf(answer(output))?.message.annotations).toEqual([
      { type: "url_citation", url_citation: { start_index: 5, end_index: 7, title: "T", url: "https://x.test" } },
    ]);
  });

  it("gives a choice for each answer, with the usage of all", () => {
    const completion = fromCanonical(
      [answer([message(text("a"))], { usage }), answer([call("c")], { usage }), answer([], {})],
      read({ n: 3 }),
      context(),
    );
    expect(completion.choices.map(({ index, finish_reason }) => [index, finish_reason])).toEqual([
      [0, "stop"],
      [1, "tool_calls"],
      [2, "stop"],
    ]);
    expect(completion.usage).toMatchObject({
      prompt_tokens: 240,
      completion_tokens: 36,
      total_tokens: 276,
      prompt_tokens_details: { cached_tokens: 128 },
      completion_tokens_details: { reasoning_tokens: 20 },
    });
  });

  it("leaves out what upstream did not tell", () => {
    const completion = fromCanonical([answer([], { service_tier: "ultrafast" })], read(), context());
    expect(completion).not.toHaveProperty("usage");
    expect(completion).not.toHaveProperty("service_tier");
  });
});
