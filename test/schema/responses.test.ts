import { readdirSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { useApp } from "../app/support/app.ts";
import type { Behaviour } from "../upstream/index.ts";
import { expectLegal, expectLegalStream, type Json } from "./expect-legal.ts";

const UPSTREAM = "/backend-api/codex/responses";
const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const LANES = ["gpt-5.5", "gpt-6.1-sol"] as const;
const STREAMS = readdirSync(new URL("../fixtures/upstream/responses/", import.meta.url)).filter((name) =>
  name.endsWith(".sse"),
);

const parameters = { type: "object", properties: { a: { type: "integer" } }, required: ["a"] };
const add = { type: "function", name: "add", parameters };
const user = (...content: unknown[]) => ({ role: "user", content });
const text = (value: string) => ({ type: "input_text", text: value });
const title = {
  type: "object",
  properties: { title: { type: "string" } },
  required: ["title"],
  additionalProperties: false,
};

/**
 * Requests of every kind, and the `type` of an output item that must be in the answer: on both lanes, or where the lite
 * lane cannot force a call or run a hosted tool, on the classic one.
 */
const REQUESTS: Record<string, { body: Json; has?: string; classicHas?: string; upstream?: Behaviour }> = {
  text: { body: { input: "hello" }, has: "message" },
  "every parameter": {
    body: {
      input: [user(text("hello"))],
      instructions: "Be kind.",
      metadata: { a: "b" },
      max_output_tokens: 500,
      max_tool_calls: 3,
      parallel_tool_calls: false,
      temperature: 0.5,
      top_p: 0.5,
      top_logprobs: 2,
      truncation: "auto",
      user: "u",
      safety_identifier: "s",
      prompt_cache_key: "k",
      prompt_cache_retention: "24h",
      service_tier: "priority",
      store: false,
      include: ["reasoning.encrypted_content"],
      text: { verbosity: "low", format: { type: "text" } },
      reasoning: { effort: "high", summary: "auto" },
      stream_options: { include_obfuscation: false },
    },
    has: "message",
  },
  "Codex's own names": {
    body: { input: "hello", service_tier: "fast", reasoning_effort: "ultra", model_verbosity: "low" },
    has: "message",
  },
  "null for every parameter": {
    body: {
      input: "hello",
      ...Object.fromEntries(
        [
          "instructions metadata max_output_tokens max_tool_calls parallel_tool_calls temperature top_p top_logprobs",
          "truncation user safety_identifier prompt_cache_key prompt_cache_retention service_tier store include text",
          "reasoning previous_response_id tools tool_choice background conversation prompt",
        ]
          .flatMap((names) => names.split(" "))
          .map((name) => [name, null]),
      ),
    },
    has: "message",
  },
  "system and assistant turns": {
    body: {
      input: [
        { role: "system", content: "Be kind." },
        { role: "user", content: "My name is Alice." },
        { role: "assistant", content: "Hello Alice!" },
        { role: "user", content: "What is my name?" },
      ],
    },
    has: "message",
  },
  "image input": { body: { input: [user(text("look"), { type: "input_image", image_url: PIXEL })] }, has: "message" },
  "function call": { body: { input: '[[tool name=add args={"a":1}]]', tools: [add] }, has: "function_call" },
  "calls side by side": {
    body: { input: '[[tool name=add args={"a":1}]] [[tool name=add args={"a":2}]]', tools: [add] },
    has: "function_call",
  },
  "chosen tool": {
    body: { input: "hi", tools: [add], tool_choice: { type: "function", name: "add" } },
    classicHas: "function_call",
  },
  "required tool": { body: { input: "hi", tools: [add], tool_choice: "required" }, classicHas: "function_call" },
  "allowed tools": {
    body: {
      input: '[[tool name=add args={"a":1}]]',
      tools: [add],
      tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "add" }] },
    },
  },
  "custom tool": {
    body: { input: "[[tool name=run args=ls -l]]", tools: [{ type: "custom", name: "run", description: "Runs." }] },
    has: "custom_tool_call",
  },
  "namespace of tools": {
    body: {
      input: "hi",
      tools: [{ type: "namespace", name: "math", description: "Maths.", tools: [{ ...add, strict: false }] }],
    },
  },
  "long names": {
    body: {
      input: `[[tool name=${"x".repeat(80)} args={"a":1}]]`,
      tools: [{ ...add, name: "x".repeat(80) }],
      tool_choice: "required",
    },
    classicHas: "function_call",
  },
  "tool output": {
    body: {
      input: [
        user(text("hi")),
        { type: "function_call", call_id: "call_1", name: "add", arguments: '{"a":1}' },
        {
          type: "function_call_output",
          call_id: "call_1",
          output: [text("1"), { type: "input_image", image_url: PIXEL }],
        },
      ],
      tools: [add],
    },
    has: "message",
  },
  refusal: { body: { input: "[[refuse]]" }, has: "message" },
  "reasoning with a summary": {
    body: { input: "[[reason]] why", reasoning: { effort: "high", summary: "detailed" } },
    has: "reasoning",
  },
  "reasoning with encrypted content": {
    body: { input: "[[reason]] why", reasoning: { effort: "low" }, include: ["reasoning.encrypted_content"] },
    has: "reasoning",
  },
  "web search": { body: { input: "[[search cats]]", tools: [{ type: "web_search" }] }, classicHas: "web_search_call" },
  "web search with sources": {
    body: {
      input: "[[search cats]]",
      tools: [{ type: "web_search_preview", search_context_size: "low" }],
      tool_choice: { type: "web_search_preview" },
      include: ["web_search_call.action.sources"],
    },
    classicHas: "web_search_call",
  },
  "image generation": {
    body: { input: "[[image]]", tools: [{ type: "image_generation", size: "1024x1024" }] },
    classicHas: "image_generation_call",
  },
  "structured output": {
    body: { input: "title", text: { format: { type: "json_schema", name: "t", schema: title, strict: true } } },
    has: "message",
  },
  "structured output without strict or name": {
    body: { input: "title", text: { format: { type: "json_schema", name: "t", schema: title } } },
    has: "message",
  },
  "JSON mode": { body: { input: "Give JSON.", text: { format: { type: "json_object" } } }, has: "message" },
  "an end at max_output_tokens": { body: { input: "[[long 200]]", max_output_tokens: 16 } },
  "upstream incomplete: max_output_tokens": {
    body: { input: "hello" },
    upstream: { terminal: { incomplete: "max_output_tokens" } },
  },
  "upstream incomplete: content_filter": {
    body: { input: "hello" },
    upstream: { terminal: { incomplete: "content_filter" } },
  },
  "content in finished items only": {
    body: { input: "[[reason]] hello" },
    upstream: { doneItemsOnly: true },
    has: "message",
  },
  "calls in finished items only": {
    body: { input: '[[tool name=add args={"a":1}]]', tools: [add] },
    upstream: { doneItemsOnly: true },
    has: "function_call",
  },
  "events of no document": { body: { input: "hello" }, upstream: { unknownEvents: true }, has: "message" },
  "data lines only": { body: { input: "hello" }, upstream: { dataOnly: true }, has: "message" },
  "null for what is not there": {
    body: { input: "hello" },
    upstream: {
      output: [
        { type: "reasoning", id: "rs_1", summary: null, content: null, encrypted_content: null, status: null },
        {
          type: "message",
          id: "msg_1",
          role: "assistant",
          status: null,
          phase: null,
          content: [{ type: "output_text", text: "Hi." }],
        },
        {
          type: "function_call",
          id: "fc_1",
          call_id: "call_1",
          name: "add",
          arguments: "{}",
          namespace: null,
          status: null,
        },
      ],
    },
    has: "function_call",
  },
  "a filled last event": { body: { input: "hello" }, upstream: { fillOutput: true }, has: "message" },
};

describe.each(LANES)("/v1/responses with %s", (model) => {
  const app = useApp();

  it.each(Object.entries(REQUESTS))("%s", async (_name, { body, has, classicHas, upstream }) => {
    if (upstream) app.upstream.script(UPSTREAM, { ...upstream, times: 2 });
    const whole = await app.post("/v1/responses", { model, ...body });
    const answer = await whole.json();
    expect([whole.status, answer]).toEqual([200, expect.anything()]);
    expectLegal("Response", answer);
    const wanted = has ?? (model === "gpt-5.5" ? classicHas : undefined);
    if (wanted) expect(answer.output.map((item: Json) => item.type)).toContain(wanted);

    const streamed = await app.post("/v1/responses", { model, ...body, stream: true });
    const events = expectLegalStream(await streamed.text());
    expect(events.slice(0, 2).map((event) => event.type)).toEqual(["response.created", "response.in_progress"]);
    const last = events.at(-1);
    expect(["response.completed", "response.incomplete"]).toContain(last.type);
    expect(shapeOf(last.response)).toEqual(shapeOf(answer));
  });

  it.each(STREAMS)("the stream %s", async (fixture) => {
    app.upstream.script(UPSTREAM, { fixture, times: 9 });
    const whole = await app.post("/v1/responses", { model, input: "hello" });
    expectLegal(whole.ok ? "Response" : "ErrorResponse", await whole.json());
    app.upstream.reset();
    app.upstream.script(UPSTREAM, { fixture, times: 9 });
    const streamed = await app.post("/v1/responses", { model, input: "hello", stream: true });
    if (streamed.ok) expectLegalStream(await streamed.text());
    else expectLegal("ErrorResponse", await streamed.json());
  });

  it.each([
    ["a failure OpenAI knows", { terminal: { failed: "server_error" }, afterEvents: 6 }, "response.failed"],
    ["a failure it does not know", { terminal: { failed: "cyber_policy" }, afterEvents: 6 }, "error"],
    [
      "an error event",
      { terminal: { error: { message: "broken", code: "server_error" } }, afterEvents: 6 },
      "response.failed",
    ],
    ["no end", { terminal: "none" }, undefined],
    ["a cut", { cut: "mid-event", afterEvents: 6 }, undefined],
    ["broken events", { malformedEvents: true }, undefined],
  ] as const)("tells %s in a stream", async (_name, behaviour, last) => {
    app.upstream.script(UPSTREAM, { ...(behaviour as Behaviour), times: 9 });
    const streamed = await app.post("/v1/responses", { model, input: "[[long 30]]", stream: true });
    const events = expectLegalStream(await streamed.text());
    expect(events.length).toBeGreaterThan(2);
    if (last) expect(events.at(-1).type).toBe(last);
  });
});

describe("what is kept of a response", () => {
  const app = useApp();
  let first: Json;
  beforeEach(async () => {
    const tools = [add];
    const input = [
      { role: "system", content: "Be kind." },
      user(text('[[reason]] [[tool name=add args={"a":1}]]'), { type: "input_image", image_url: PIXEL }),
    ];
    first = await (await app.post("/v1/responses", { model: "gpt-5.5", input, tools })).json();
  });

  it("GET gives the same response again", async () => {
    expect(expectLegal("Response", await (await app.get(`/v1/responses/${first.id}`)).json())).toEqual(first);
  });

  it("input_items lists the input of the whole chain", async () => {
    const call = first.output.find((item: Json) => item.type === "function_call");
    const second = await app.post("/v1/responses", {
      model: "gpt-5.5",
      previous_response_id: first.id,
      tools: [add],
      input: [
        { type: "function_call_output", id: null, status: null, call_id: call.call_id, output: "1" },
        { type: "message", role: "assistant", phase: null, content: "One." },
        {
          role: "assistant",
          content: [
            { type: "output_text", text: "Truly one." },
            { type: "refusal", refusal: "No." },
          ],
        },
        { type: "reasoning", encrypted_content: first.output[0].encrypted_content ?? null, summary: [], content: null },
        { type: "custom_tool_call", call_id: "call_run", name: "run", input: "ls" },
        {
          type: "custom_tool_call_output",
          call_id: "call_run",
          output: [text("a.txt"), { type: "input_image", image_url: PIXEL }],
        },
        { type: "web_search_call", id: "ws_1", status: "completed" },
        {
          role: "user",
          content: [
            text("and this?"),
            { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" },
          ],
        },
      ],
    });
    const { id, previous_response_id } = expectLegal("Response", await second.json());
    expect(previous_response_id).toBe(first.id);
    for (const query of ["", "?limit=2", "?order=asc", "?limit=1&order=asc"]) {
      const list = await app.get(`/v1/responses/${id}/input_items${query}`);
      const { data } = expectLegal("ResponseItemList", await list.json());
      expect(data.length).toBeGreaterThan(0);
    }
    const text_only = await (await app.post("/v1/responses", { model: "gpt-5.5", input: "hello" })).json();
    expectLegal("ResponseItemList", await (await app.get(`/v1/responses/${text_only.id}/input_items`)).json());
  });

  it("DELETE, then errors", async () => {
    const path = `/v1/responses/${first.id}`;
    expectLegal("ErrorResponse", await (await app.post(`${path}/cancel`, {})).json());
    const deleted = await app.app.fetch(
      new Request(`http://127.0.0.1:8765${path}`, { method: "DELETE", headers: { host: "127.0.0.1:8765" } }),
    );
    expect(await deleted.json()).toEqual({ id: first.id, object: "response", deleted: true });
    for (const gone of [path, `${path}/input_items`]) {
      const response = await app.get(gone);
      expect([response.status, expectLegal("ErrorResponse", await response.json()).error.param]).toEqual([404, "id"]);
    }
  });

  it("counts and compacts", async () => {
    const count = await app.post("/v1/responses/input_tokens", { model: "gpt-5.5", input: "hello" });
    expect(expectLegal("TokenCountsResource", await count.json()).input_tokens).toBeGreaterThan(0);
    for (const model of LANES) {
      const compacted = await app.post("/v1/responses/compact", {
        model,
        input: [user(text("hello"), { type: "input_image", image_url: PIXEL })],
        previous_response_id: null,
      });
      expect(expectLegal("CompactResource", await compacted.json()).output.at(-1).type).toBe("compaction");
    }
    const refused = await app.post("/v1/responses/compact", { input: "hello" });
    expect([refused.status, expectLegal("ErrorResponse", await refused.json()).error.param]).toEqual([400, "model"]);
  });
});

/** A response without what differs from one call to the next. */
function shapeOf(response: Json): Json {
  return JSON.parse(
    JSON.stringify(response, (name, value) =>
      /^(id|call_id|created_at|completed_at|encrypted_content|usage|result)$/.test(name) ? typeof value : value,
    ),
  );
}
