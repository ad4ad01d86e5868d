import { describe, expect, it } from "vitest";
import { messagesDialect } from "../../../../src/dialects/messages/index.ts";
import { decodeSignature } from "../../../../src/dialects/messages/signature.ts";
import { ProxyError } from "../../../../src/errors.ts";
import {
  assemble,
  CONTEXT,
  encode,
  events,
  type Json,
  parse,
  request,
  streamEvents,
  streamNames,
  whole,
} from "./support.ts";

const THINKING = request({ thinking: { type: "adaptive" } });
const created = { type: "response.created", response: { id: "r" } };
const usage = {
  input_tokens: 100,
  input_tokens_details: { cached_tokens: 60 },
  output_tokens: 9,
  output_tokens_details: { reasoning_tokens: 4 },
  total_tokens: 109,
};
const completed = (fields: object = {}) => ({
  type: "response.completed",
  response: { id: "r", status: "completed", output: [], usage, ...fields },
});
const added = (output_index: number, item: object) => ({ type: "response.output_item.added", output_index, item });
const done = (output_index: number, item: object) => ({ type: "response.output_item.done", output_index, item });
const args = (output_index: number, delta: string) => ({
  type: "response.function_call_arguments.delta",
  output_index,
  delta,
});
const textDelta = (output_index: number, delta: string, content_index = 0) => ({
  type: "response.output_text.delta",
  output_index,
  content_index,
  delta,
});
const call = (n: number, name: string, text: string) => ({
  type: "function_call",
  id: `fc_${n}`,
  call_id: `call_${n}`,
  name,
  arguments: text,
});
const message = (text: string, annotations: object[] = []) => ({
  type: "message",
  role: "assistant",
  content: [{ type: "output_text", text, annotations }],
});
const content = (text: string) => assemble(text).content as Json[];

describe("recorded streams", () => {
  it.each(streamNames())("%s: keeps the grammar and equals the whole answer", (name) => {
    for (const body of [request({}), THINKING]) {
      const upstream = streamEvents(name);
      const streamed = assemble(encode(upstream, body));
      if (streamed.error) expect(() => whole(upstream, body)).toThrow(ProxyError);
      else expect(streamed).toEqual(whole(upstream, body));
    }
  });

  it("text-with-reasoning: the signature brings the encrypted reasoning back", () => {
    const [thinking, text] = content(encode(streamEvents("text-with-reasoning.sse"), THINKING));
    expect(thinking).toMatchObject({ type: "thinking", thinking: "**Thinking**" });
    expect(decodeSignature("m", String(thinking?.signature))).toBe("gAAAAABtest");
    expect(text).toEqual({ type: "text", text: "pong" });
  });

  it("a client that did not ask for thinking gets text first", () => {
    expect(content(encode(streamEvents("text-with-reasoning.sse")))).toEqual([{ type: "text", text: "pong" }]);
  });

  it("a failure after the 200 is an error event with the API's envelope", () => {
    const last = parse(encode(streamEvents("failed-server_is_overloaded.sse"))).at(-1);
    expect(last).toMatchObject({ type: "error", error: { type: "overloaded_error" }, request_id: "req_1" });
  });
});

describe("message_start", () => {
  it("has no content, the client's model and the estimated prompt, and a ping follows", () => {
    const [start, ping] = parse(encode(events([created])));
    expect(start).toMatchObject({
      type: "message_start",
      message: {
        id: "msg_0123",
        model: "m",
        content: [],
        stop_reason: null,
        usage: { input_tokens: 77, output_tokens: 0 },
      },
    });
    expect(ping).toEqual({ type: "ping" });
  });

  it("comes before a keep-alive, and no keep-alive follows the end", () => {
    const encoder = messagesDialect.createEncoder(request({}), CONTEXT);
    expect(parse(encoder.keepAlive()).map((event) => event.type)).toEqual(["message_start", "ping"]);
    expect(parse(encoder.keepAlive()).map((event) => event.type)).toEqual(["ping"]);
    expect(encoder.fail(new ProxyError("internal", "x"))).toContain("event: error");
    expect(encoder.keepAlive() + encoder.fail(new ProxyError("internal", "x"))).toBe("");
  });

  it("fail is legal before it", () => {
    const encoder = messagesDialect.createEncoder(request({}), CONTEXT);
    expect(parse(encoder.fail(new ProxyError("rate_limit", "slow down")))).toEqual([
      { type: "error", error: { type: "rate_limit_error", message: "slow down" }, request_id: "req_1" },
    ]);
  });
});

describe("blocks", () => {
  it("calls that upstream interleaves come one after another, the first one live", () => {
    const encoder = messagesDialect.createEncoder(request({}), CONTEXT);
    const upstream = events([
      created,
      added(0, call(0, "a", "")),
      args(0, '{"x":'),
      added(1, call(1, "b", "")),
      args(1, '{"y":2}'),
      args(0, "1}"),
      done(1, call(1, "b", '{"y":2}')),
      done(0, call(0, "a", '{"x":1}')),
      completed(),
    ]);
    const frames = upstream.map((event) => encoder.push(event));
    expect(frames[2]).toContain('"partial_json":"{\\"x\\":"');
    expect(frames[4]).toBe("");
    expect(frames[5]).toContain("1}");
    const answer = assemble(frames.join(""));
    expect(answer).toMatchObject({
      stop_reason: "tool_use",
      content: [
        { id: "call_0", name: "a", input: { x: 1 } },
        { id: "call_1", name: "b", input: { y: 2 } },
      ],
    });
    expect(answer).toEqual(whole(upstream));
  });

  it.each([
    ["no arguments", "", {}],
    ["an empty object", "{}", {}],
    ["a nested object", '{"a":{"b":[1]}}', { a: { b: [1] } }],
  ])("a call with %s that comes only when done has its input", (_name, text, input) => {
    const upstream = events([created, done(0, call(0, "t", text)), completed()]);
    expect(content(encode(upstream))).toEqual([{ type: "tool_use", id: "call_0", name: "t", input }]);
    expect(whole(upstream).content).toEqual(content(encode(upstream)));
  });

  it.each([
    ["Read", '{"file_path":"f","pages":""}', { file_path: "f" }],
    ["Read", '{"file_path":"f","pages":"1-2"}', { file_path: "f", pages: "1-2" }],
    ["Edit", '{"new_string":"","pages":""}', { new_string: "", pages: "" }],
  ])("%s with %s: only Read's empty pages are left out", (name, text, input) => {
    const upstream = events([
      created,
      added(0, call(0, name, "")),
      args(0, text.slice(0, 10)),
      args(0, text.slice(10)),
      done(0, call(0, name, text)),
      completed(),
    ]);
    expect(content(encode(upstream))).toMatchObject([{ input }]);
    expect(whole(upstream).content).toMatchObject([{ input }]);
  });

  it("text that comes only when the item is done is neither lost nor doubled", () => {
    const cases = [
      [created, done(0, message("pong")), completed()],
      [created, textDelta(0, "po"), done(0, message("pong")), completed()],
      [created, added(0, message("")), textDelta(0, "pong"), done(0, message("pong")), completed()],
      [created, completed({ output: [message("pong")] })],
      [created, textDelta(0, "pong"), completed()],
    ];
    for (const one of cases) expect(content(encode(events(one)))).toEqual([{ type: "text", text: "pong" }]);
  });

  it("events that come after their item's end change nothing", () => {
    const upstream = events([
      created,
      added(0, call(0, "a", "")),
      textDelta(1, "pong"),
      done(1, message("pong")),
      textDelta(1, "late"),
      done(0, call(0, "a", "{}")),
      args(0, "late"),
      textDelta(1, "later"),
      completed(),
    ]);
    expect(content(encode(upstream))).toMatchObject([
      { name: "a", input: {} },
      { type: "text", text: "pong" },
    ]);
  });

  it("each part of a message is a block", () => {
    const item = { ...message("a"), content: [...message("a").content, ...message("b").content] };
    const upstream = events([created, textDelta(0, "a"), textDelta(0, "b", 1), done(0, item), completed()]);
    expect(content(encode(upstream))).toEqual([
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ]);
  });

  it("paragraphs of a summary are kept apart, in stream and whole", () => {
    const summary = ["one", "two"].map((text) => ({ type: "summary_text", text }));
    const item = { type: "reasoning", id: "rs", summary, encrypted_content: "enc" };
    const part = (summary_index: number, delta: string) => ({
      type: "response.reasoning_summary_text.delta",
      output_index: 0,
      summary_index,
      delta,
    });
    const live = events([created, part(0, "on"), part(0, "e"), part(1, "two"), done(0, item), completed()]);
    expect(content(encode(live, THINKING))).toMatchObject([{ thinking: "one\n\ntwo", signature: "codex-1:m:enc" }]);
    expect(whole(live, THINKING).content).toEqual(content(encode(live, THINKING)));
  });

  it.each([
    [{ type: "adaptive" }, [{ type: "redacted_thinking", data: "codex-1:m:enc" }]],
    [
      { type: "enabled", budget_tokens: 2000, display: "omitted" },
      [{ type: "thinking", thinking: "", signature: "codex-1:m:enc" }],
    ],
    [{ type: "disabled" }, []],
  ])("reasoning without a summary under %j", (thinking, expected) => {
    const body = request({ thinking });
    const upstream = events([
      created,
      done(0, { type: "reasoning", summary: [], encrypted_content: "enc" }),
      completed(),
    ]);
    expect(content(encode(upstream, body))).toEqual(expected);
    expect(whole(upstream, body).content).toEqual(expected);
  });
});

describe("web search", () => {
  const search = (action: object, id = "ws_1") => ({ type: "web_search_call", id, status: "completed", action });
  const citation = { type: "url_citation", url: "https://e.org/a", title: "A", start_index: 0, end_index: 4 };

  it("is a pair of blocks with the sources, and counts in usage", () => {
    const sources = [{ type: "url", url: "https://e.org/a" }];
    const upstream = events([
      created,
      done(0, search({ type: "search", query: "pong", sources })),
      textDelta(1, "pong"),
      done(1, message("pong", [citation])),
      completed(),
    ]);
    const answer = assemble(encode(upstream));
    expect(answer).toMatchObject({
      stop_reason: "end_turn",
      usage: { server_tool_use: { web_search_requests: 1 } },
      content: [
        { type: "server_tool_use", id: "srvtoolu_ws_1", name: "web_search", input: { query: "pong" } },
        {
          type: "web_search_tool_result",
          tool_use_id: "srvtoolu_ws_1",
          content: [{ type: "web_search_result", url: "https://e.org/a", title: "e.org" }],
        },
        {
          type: "text",
          text: "pong",
          citations: [{ type: "web_search_result_location", cited_text: "pong", title: "A" }],
        },
      ],
    });
    expect(answer).toEqual(whole(upstream));
  });

  it("without sources takes those that the answer cites, each once", () => {
    const upstream = events([
      created,
      done(0, search({ type: "search", queries: ["a", "b"] })),
      done(1, search({ type: "search", query: "c" }, "ws_2")),
      textDelta(2, "pong"),
      done(2, message("pong", [citation, citation])),
      completed(),
    ]);
    const blocks = content(encode(upstream));
    expect(blocks.map((block) => block.type)).toEqual([
      "server_tool_use",
      "web_search_tool_result",
      "server_tool_use",
      "web_search_tool_result",
      "text",
    ]);
    expect(blocks[0]).toMatchObject({ input: { query: "a; b" } });
    expect(blocks[1]?.content).toHaveLength(1);
    expect(whole(upstream).content).toEqual(blocks);
  });

  it("that failed says so, and opening a page is not a search", () => {
    const upstream = events([
      created,
      done(0, { ...search({ type: "search", query: "q" }), status: "failed" }),
      done(1, search({ type: "open_page", url: "https://e.org" }, "ws_2")),
      done(2, message("x")),
      completed(),
    ]);
    expect(content(encode(upstream))).toMatchObject([
      { type: "server_tool_use" },
      { content: { type: "web_search_tool_result_error", error_code: "unavailable" } },
      { type: "text" },
    ]);
    expect(whole(upstream)).toEqual(assemble(encode(upstream)));
  });

  it("at the very end of a turn pauses it", () => {
    const upstream = events([created, done(0, search({ type: "search", query: "q" })), completed()]);
    expect(assemble(encode(upstream))).toMatchObject({ stop_reason: "pause_turn" });
    expect(assemble(encode(upstream))).toEqual(whole(upstream));
  });
});

describe("the end", () => {
  const text = [created, textDelta(0, "x"), done(0, message("x"))];
  const incomplete = (reason: string) => ({
    type: "response.incomplete",
    response: { id: "r", incomplete_details: { reason }, usage },
  });
  const refusal = { type: "message", role: "assistant", content: [{ type: "refusal", refusal: "No." }] };
  it.each([
    ["end_turn", [...text, completed()], null],
    ["stop_sequence", [...text, completed({ local_stop: "END" })], "END"],
    ["max_tokens", [...text, incomplete("max_output_tokens")], null],
    ["refusal", [...text, incomplete("content_filter")], null],
    ["refusal", [created, done(0, refusal), completed()], null],
    ["tool_use", [...text, done(1, call(1, "t", "{}")), completed()], null],
    ["max_tokens", [...text, done(1, call(1, "t", "{}")), incomplete("max_output_tokens")], null],
  ])("stop_reason %s", (stop_reason, list, stop_sequence) => {
    const answer = assemble(encode(events(list)));
    expect(answer).toMatchObject({ stop_reason, stop_sequence });
    expect(answer).toEqual(whole(events(list)));
  });

  it("usage has the cached part apart from the input", () => {
    expect(assemble(encode(events([...text, completed()]))).usage).toEqual({
      input_tokens: 40,
      cache_read_input_tokens: 60,
      cache_creation_input_tokens: 0,
      output_tokens: 9,
      output_tokens_details: { thinking_tokens: 4 },
    });
  });

  it("nothing follows it", () => {
    const encoder = messagesDialect.createEncoder(request({}), CONTEXT);
    for (const event of events([...text, completed()])) encoder.push(event);
    expect(encoder.push(events([completed()])[0]!) + encoder.fail(new ProxyError("internal", "x"))).toBe("");
  });
});
