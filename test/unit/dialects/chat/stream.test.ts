import type OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { CanonicalEvent, OutputItem } from "../../../../src/canonical/event.ts";
import { chatDialect } from "../../../../src/dialects/chat/index.ts";
import { ProxyError } from "../../../../src/errors.ts";
import { assemble, chunksOf, comparable, context, encode, fixtureEvents, made, read, whole } from "./support.ts";

const created: CanonicalEvent = { type: "response.created", response: { id: "r" } };
const usage = { input_tokens: 5, output_tokens: 2, total_tokens: 7 };
const completed: CanonicalEvent = { type: "response.completed", response: { id: "r", status: "completed", usage } };
const added = (output_index: number, item: OutputItem): CanonicalEvent => ({
  type: "response.output_item.added",
  output_index,
  item,
});
const done = (output_index: number, item: OutputItem): CanonicalEvent => ({
  type: "response.output_item.done",
  output_index,
  item,
});
const message = (...texts: string[]): OutputItem => ({
  type: "message",
  role: "assistant",
  content: texts.map((text) => ({ type: "output_text", text })),
});
const call = (id: string, args: string): OutputItem => ({
  type: "function_call",
  call_id: id,
  name: "f",
  arguments: args,
});
const said = (output_index: number, delta: string, content_index = 0): CanonicalEvent => ({
  type: "response.output_text.delta",
  output_index,
  content_index,
  delta,
});
const argued = (output_index: number, delta: string): CanonicalEvent => ({
  type: "response.function_call_arguments.delta",
  output_index,
  delta,
});
const thought = (output_index: number, summary_index: number, delta: string): CanonicalEvent => ({
  type: "response.reasoning_summary_text.delta",
  output_index,
  summary_index,
  delta,
});

describe("createEncoder", () => {
  it("gives chunks that the OpenAI types accept, the role first, [DONE] last", () => {
    const { chunks, done: isDone } = chunksOf(encode(made([created, said(0, "po"), said(0, "ng"), completed])));
    const typed: OpenAI.Chat.ChatCompletionChunk[] = chunks as unknown as OpenAI.Chat.ChatCompletionChunk[];
    const head = { id: "chatcmpl-abc", object: "chat.completion.chunk", created: 1_795_378_814, model: "gpt-x" };
    const chunk = (delta: unknown, finish_reason: string | null = null) => ({
      ...head,
      choices: [{ index: 0, delta, finish_reason }],
    });
    expect(typed).toEqual([
      chunk({ role: "assistant", content: "", refusal: null }),
      chunk({ content: "po" }),
      chunk({ content: "ng" }),
      chunk({}, "stop"),
    ]);
    expect(isDone).toBe(true);
  });

  it("tells usage in a last chunk without choices, null before, when asked", () => {
    const body = read({ stream_options: { include_usage: true } });
    const { chunks } = chunksOf(encode(made([created, said(0, "x"), completed]), body));
    expect(chunks.slice(0, -1).map((chunk) => chunk.usage)).toEqual([null, null, null]);
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
    });
    const unasked = chunksOf(encode(made([created, said(0, "x"), completed])));
    expect(unasked.chunks.some((chunk) => "usage" in chunk)).toBe(false);
  });

  it("streams the arguments of interleaved calls, each under its own index", () => {
    const events = made([
      created,
      added(1, call("c1", "")),
      added(2, call("c2", "")),
      argued(2, '{"b"'),
      argued(1, '{"a":'),
      argued(2, ":2}"),
      argued(1, "1}"),
      done(2, call("c2", '{"b":2}')),
      done(1, call("c1", '{"a":1}')),
      completed,
    ]);
    const text = encode(events);
    expect(chunksOf(text).chunks[0]?.choices[0]?.delta).toEqual({ role: "assistant", content: null, refusal: null });
    expect(
      chunksOf(text)
        .chunks.slice(1, -1)
        .map((chunk) => chunk.choices[0]?.delta.tool_calls),
    ).toEqual([
      [{ index: 0, id: "c1", type: "function", function: { name: "f", arguments: "" } }],
      [{ index: 1, id: "c2", type: "function", function: { name: "f", arguments: "" } }],
      [{ index: 1, function: { arguments: '{"b"' } }],
      [{ index: 0, function: { arguments: '{"a":' } }],
      [{ index: 1, function: { arguments: ":2}" } }],
      [{ index: 0, function: { arguments: "1}" } }],
    ]);
    expect(assemble(text)).toEqual(comparable(whole(events)));
  });

  it("tells a finished item's text and arguments that no delta told, once", () => {
    const events = made([
      created,
      done(0, message("whole")),
      added(1, message()),
      said(1, "half"),
      done(1, message("half and half")),
      done(2, call("c1", '{"a":1}')),
      added(3, call("c2", "")),
      argued(3, '{"b'),
      done(3, call("c2", '{"b":2}')),
      { type: "response.completed", response: { id: "r", output: [message("whole"), message("half and half")] } },
    ]);
    expect(assemble(encode(events))).toMatchObject({
      message: {
        content: "wholehalf and half",
        tool_calls: [
          { id: "c1", function: { arguments: '{"a":1}' } },
          { id: "c2", function: { arguments: '{"b":2}' } },
        ],
      },
      finish: "tool_calls",
    });
  });

  it("announces a call at its end when its beginning did not name it", () => {
    const nameless = { type: "function_call", name: "f", arguments: "" } as unknown as OutputItem;
    const events = made([created, added(0, nameless), argued(0, "{}"), done(0, call("c1", "{}")), completed]);
    expect(assemble(encode(events))).toMatchObject({
      message: { tool_calls: [{ id: "c1", function: { arguments: "{}" } }] },
    });
  });

  it("streams custom tool calls in their own form", () => {
    const item = (input: string): OutputItem => ({ type: "custom_tool_call", call_id: "c1", name: "patch", input });
    const delta: CanonicalEvent = {
      type: "response.custom_tool_call_input.delta",
      output_index: 0,
      delta: "*** Begin",
    };
    const events = made([created, added(0, item("")), delta, done(0, item("*** Begin")), completed]);
    const text = encode(events);
    expect(text).toContain('{"tool_calls":[{"index":0,"custom":{"input":"*** Begin"}}]}');
    expect(assemble(text)).toEqual(comparable(whole(events)));
  });

  it("streams the one call of legacy functions as function_call", () => {
    const body = read({ functions: [{ name: "f" }] });
    const events = made([created, added(0, call("c1", "")), argued(0, "{}"), done(0, call("c1", "{}")), completed]);
    const text = encode(events, body);
    expect(text).not.toContain("tool_calls");
    expect(assemble(text)).toEqual(comparable(whole(events, body)));
    expect(assemble(text)).toMatchObject({ finish: "function_call" });
  });

  it("parts the paragraphs of reasoning and leaves content open until it is known", () => {
    const events = made([
      created,
      added(0, { type: "reasoning", summary: [] }),
      thought(0, 0, "a"),
      thought(0, 0, "b"),
      thought(0, 1, "c"),
      done(0, { type: "reasoning", summary: ["ab", "c"].map((text) => ({ type: "summary_text", text })) }),
      done(1, { type: "reasoning", summary: [{ type: "summary_text", text: "d" }] }),
      done(2, message("x")),
      completed,
    ]);
    const text = encode(events);
    expect(chunksOf(text).chunks[0]?.choices[0]?.delta).toEqual({ role: "assistant" });
    expect(assemble(text)).toMatchObject({ message: { reasoning_content: "ab\n\nc\n\nd", content: "x" } });
    expect(assemble(text)).toEqual(comparable(whole(events)));
  });

  it("streams a refusal", () => {
    const refusal: OutputItem = {
      type: "message",
      role: "assistant",
      content: [{ type: "refusal", refusal: "I will not" }],
    };
    const delta: CanonicalEvent = {
      type: "response.refusal.delta",
      output_index: 0,
      content_index: 0,
      delta: "I will",
    };
    const events = made([created, delta, done(0, refusal), completed]);
    expect(assemble(encode(events))).toEqual({ message: { role: "assistant", refusal: "I will not" }, finish: "stop" });
    expect(assemble(encode(events))).toEqual(comparable(whole(events)));
  });

  it("tells all citations in one chunk at the end", () => {
    const annotation = { type: "url_citation", start_index: 0, end_index: 1, title: "T", url: "https://x.test" };
    const item: OutputItem = {
      type: "message",
      role: "assistant",
      content: [{ type: "output_text", text: "cd", annotations: [annotation] }],
    };
    const events = made([
      created,
      done(0, message("ab")),
      added(1, message()),
      said(1, "cd"),
      done(1, item),
      done(2, item),
      completed,
    ]);
    expect(assemble(encode(events))).toEqual(comparable(whole(events)));
    expect(encode(events).split("annotations")).toHaveLength(2);
    expect(encode(events)).toContain('"start_index":2,"end_index":3');
  });

  const endings: [name: string, last: CanonicalEvent, finish: string][] = [
    ["stop", completed, "stop"],
    ["a local stop", { type: "response.completed", response: { id: "r", local_stop: "END" } }, "stop"],
    [
      "length",
      { type: "response.incomplete", response: { id: "r", incomplete_details: { reason: "max_output_tokens" } } },
      "length",
    ],
    ["incomplete without a reason", { type: "response.incomplete", response: { id: "r" } }, "length"],
    [
      "content filter",
      { type: "response.incomplete", response: { id: "r", incomplete_details: { reason: "content_filter" } } },
      "content_filter",
    ],
  ];
  it.each(endings)("ends with %s", (_, last, finish) => {
    const events = made([created, said(0, "x"), last]);
    expect(assemble(encode(events))).toMatchObject({ finish });
    expect(chunksOf(encode(events)).done).toBe(true);
  });

  it("ends an empty answer with a role and a reason", () => {
    expect(assemble(encode(made([created, completed])))).toEqual({
      message: { role: "assistant", content: "" },
      finish: "stop",
    });
  });

  const failures: [name: string, last: CanonicalEvent, code: string][] = [
    [
      "response.failed",
      {
        type: "response.failed",
        response: { id: "r", error: { code: "context_length_exceeded", message: "too long" } },
      },
      "context_length_exceeded",
    ],
    [
      "an error event",
      { type: "error", error: { code: "server_is_overloaded", message: "busy" } },
      "server_is_overloaded",
    ],
  ];
  it.each(failures)("ends with an error chunk and no [DONE] on %s", (_, last, code) => {
    const text = encode(made([created, said(0, "x"), last, completed]));
    const { chunks, done: isDone } = chunksOf(text);
    expect(isDone).toBe(false);
    expect(chunks.at(-1)?.error?.code).toBe(code);
    expect(text).not.toContain('"finish_reason":"');
  });

  it("tells a failure of its own once, and nothing after the end", () => {
    const broken = new ProxyError("upstream_unreachable", "the connection broke");
    const encoder = chatDialect.createEncoder(read(), context());
    expect(encoder.fail(broken)).toContain('"code":"upstream_unreachable"');
    expect(encoder.fail(broken)).toBe("");
    const [end] = made([completed]);
    if (end) expect(encoder.push(end)).toBe("");
    const finished = chatDialect.createEncoder(read(), context());
    if (end) finished.push(end);
    expect(finished.fail(broken)).toBe("");
  });

  it("keeps a connection alive with a comment", () => {
    expect(chatDialect.createEncoder(read(), context()).keepAlive()).toBe(": keep-alive\n\n");
  });

  it("bears items that lack what they should have", () => {
    const bare = (item: unknown) => item as OutputItem;
    const events = made([
      created,
      added(0, bare({ type: "message", role: "assistant" })),
      done(0, bare({ type: "message", role: "assistant" })),
      done(1, bare({ type: "function_call", call_id: "c1", name: "f" })),
      done(2, bare({ type: "reasoning" })),
      completed,
    ]);
    const message = {
      role: "assistant",
      tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: "" } }],
    };
    expect(assemble(encode(events))).toMatchObject({ message, finish: "tool_calls" });
    expect(comparable(whole(events))).toMatchObject({ message, finish: "tool_calls" });
  });

  it("ignores events that Chat has no word for", () => {
    const unknown = { type: "response.web_search_call.searching", output_index: 0 } as CanonicalEvent;
    expect(encode(made([created, unknown]))).toBe("");
  });

  it("escapes what JSON must escape, and keeps a model name as the client sent it", () => {
    const text = encode(made([said(0, '"\n\u2028\\ 👋'), completed]), read({ model: 'm"x' }));
    expect(assemble(text)).toMatchObject({ message: { content: '"\n\u2028\\ 👋' } });
    expect(chunksOf(text).chunks[0]?.model).toBe('m"x');
  });
});

describe("finishCopies", () => {
  const body = read({ n: 2, stream_options: { include_usage: true } });
  const copies = () => [0, 1].map((index) => chatDialect.createEncoder(body, context(index, 2)));
  const play = (encoder: ReturnType<typeof copies>[number], events: CanonicalEvent[]) =>
    made(events)
      .map((event) => encoder.push(event))
      .join("");

  it("ends the choices' common stream with the usage of all and one [DONE]", () => {
    const encoders = copies();
    const text = encoders.map((encoder, index) => play(encoder, [created, said(0, `answer ${index}`), completed]));
    expect(text.join("")).not.toContain("[DONE]");
    expect(text[1]).toContain('"choices":[{"index":1,');
    const { chunks, done: isDone } = chunksOf(chatDialect.finishCopies?.(encoders, body) ?? "");
    expect(isDone).toBe(true);
    expect(chunks).toMatchObject([{ id: "chatcmpl-abc", choices: [], usage: { prompt_tokens: 10, total_tokens: 14 } }]);
  });

  it("adds nothing when a choice has failed or not ended", () => {
    const [first, second] = copies();
    if (!first || !second) throw new Error("two encoders were made");
    play(first, [completed]);
    expect(chatDialect.finishCopies?.([first, second], body)).toBe("");
    second.fail(new ProxyError("upstream_protocol", "cut"));
    expect(chatDialect.finishCopies?.([first, second], body)).toBe("");
  });

  it("adds nothing to a single answer, which has ended by itself", () => {
    const encoder = chatDialect.createEncoder(body, context());
    expect(play(encoder, [completed])).toContain("[DONE]");
    expect(chatDialect.finishCopies?.([encoder], body)).toBe("");
  });
});

describe("recorded streams", () => {
  const answers = [
    "text-with-reasoning.sse",
    "function-call.sse",
    "custom-tool-and-web-search.sse",
    "minimal.sse",
    "completed-only.sse",
    "incomplete-content_filter.sse",
    "incomplete-max_output_tokens.sse",
  ];
  it.each(answers)("%s streams what it says whole", (name) => {
    const events = fixtureEvents(name);
    const streamed = assemble(encode(events));
    const expected = comparable(whole(events));
    expect({ ...streamed, message: { content: "", ...(streamed.message as object) } }).toEqual({
      ...expected,
      message: { content: "", ...(expected.message as object) },
    });
  });

  it("minimal.sse and completed-only.sse keep their text", () => {
    expect(assemble(encode(fixtureEvents("minimal.sse")))).toMatchObject({ message: { content: "pong" } });
    expect(assemble(encode(fixtureEvents("completed-only.sse")))).toMatchObject({ message: { content: "pong" } });
  });

  const failures: [name: string, code: string][] = [
    ["error-event.sse", "rate_limit_exceeded"],
    ["failed-context_length_exceeded.sse", "context_length_exceeded"],
    ["failed-insufficient_quota.sse", "insufficient_quota"],
    ["failed-usage_not_included.sse", "insufficient_quota"],
    ["failed-invalid_prompt.sse", "invalid_prompt"],
    ["failed-cyber_policy.sse", "cyber_policy"],
    ["failed-server_error.sse", "server_error"],
    ["failed-rate_limit_exceeded.sse", "rate_limit_exceeded"],
    ["failed-server_is_overloaded.sse", "server_is_overloaded"],
  ];
  it.each(failures)("%s ends with %s", (name, code) => {
    const { chunks, done: isDone } = chunksOf(encode(fixtureEvents(name)));
    expect(isDone).toBe(false);
    expect(chunks.at(-1)?.error).toMatchObject({ code });
  });
});
