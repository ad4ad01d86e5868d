import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { useApp } from "../../../app/support/app.ts";

const app = useApp();
const clients = new URL("../../../fixtures/clients/", import.meta.url);
const MODELS = ["gpt-5.5", "gpt-6.1-sol"];

type Json = Record<string, unknown>;
const respond = async (body: Json, headers: Record<string, string> = {}) => {
  const response = await app.post("/v1/responses", { model: "gpt-5.5", ...body }, headers);
  return { status: response.status, response, body: (await response.json()) as Json };
};
const sentBody = () =>
  app.upstream.requests.filter((request) => request.path.endsWith("/responses")).at(-1)?.json as Json;
const textOf = (body: Json) =>
  (body.output as { type: string; content?: { text: string }[] }[])
    .filter((item) => item.type === "message")
    .map((item) => item.content?.[0]?.text)
    .join("");

describe("Responses against the strict double", () => {
  it.each(readdirSync(clients).filter((name) => /responses/.test(name)))("%s is accepted", async (name) => {
    const { body } = JSON.parse(readFileSync(new URL(name, clients), "utf8")) as { body: Json };
    const tools = ((body.tools as unknown[]) ?? []).filter((tool) => typeof tool === "object");
    for (const model of MODELS) {
      const answer = await respond({ ...body, tools, model, stream: false });
      expect(answer.body, JSON.stringify(answer.body)).toMatchObject({
        object: "response",
        status: "completed",
        model,
      });
    }
  });

  it("continues a conversation by previous_response_id, in both lanes", async () => {
    for (const model of MODELS) {
      const first = await respond({ model, input: "my name is Ada" });
      const second = await respond({ model, input: "who am I?", previous_response_id: first.body.id });
      expect(second.body).toMatchObject({ status: "completed", previous_response_id: first.body.id });
      expect(JSON.stringify(sentBody().input)).toContain("my name is Ada");
      const stored = await app.get(`/v1/responses/${second.body.id}`);
      expect(await stored.json()).toEqual(second.body);
    }
  });

  it("carries a whole tool loop, its output sent back as it came", async () => {
    const tools = [
      { type: "function", name: "add", parameters: { type: "object", properties: { a: { type: "integer" } } } },
    ];
    for (const model of MODELS) {
      const input: Json[] = [{ role: "user", content: '[[reason]] [[tool name=add args={"a":2}]]' }];
      const first = await respond({ model, input, tools, store: false, reasoning: { effort: "high" } });
      const output = first.body.output as Json[];
      const call = output.find((item) => item.type === "function_call");
      input.push(...output, { type: "function_call_output", call_id: call?.call_id, output: "42" });
      const second = await respond({ model, input, tools, store: false, reasoning: { effort: "high" } });
      expect(second.status, JSON.stringify(second.body)).toBe(200);
      expect(textOf(second.body)).toContain("42");
      expect(JSON.stringify(sentBody().input)).toContain("encrypted_content");
    }
  });

  it("streams what it answers whole", async () => {
    const fetch = async (url: unknown, init?: RequestInit) => {
      const headers = new Headers(init?.headers);
      headers.set("host", "127.0.0.1:8765");
      return app.app.fetch(new Request(String(url), { ...init, headers }));
    };
    const sdk = new OpenAI({ apiKey: "k", baseURL: "http://127.0.0.1:8765/v1", fetch, maxRetries: 0 });
    const body = { model: "gpt-5.5", input: "hello" };
    const streamed = await sdk.responses.stream(body).finalResponse();
    const whole = await sdk.responses.create(body);
    expect(streamed.output_text).toBe(whole.output_text);
    expect(streamed.output_text.length).toBeGreaterThan(0);
    expect(Object.keys(streamed).sort()).toEqual(Object.keys({ ...whole, output_parsed: null }).sort());
  });

  it("compacts, and goes on from the compacted window", async () => {
    const response = await app.post("/v1/responses/compact", { model: "gpt-5.5", input: "a long story" });
    const compacted = (await response.json()) as Json;
    expect(compacted, JSON.stringify(compacted)).toMatchObject({ object: "response.compaction" });
    const next = await respond({ input: [...(compacted.output as Json[]), { role: "user", content: "go on" }] });
    expect(next.body).toMatchObject({ status: "completed" });
  });

  it("accepts any legal request", async () => {
    await fc.assert(
      fc.asyncProperty(requests, fc.constantFrom(...MODELS), async (request, model) => {
        const { status, body } = await respond({ ...request, model });
        expect(status, JSON.stringify({ request, body })).toBe(200);
        expect(body.status).toMatch(/completed|incomplete/);
      }),
      { numRuns: 40 },
    );
  });
});

const text = fc.string({ minLength: 1, maxLength: 20 }).filter((value) => value.trim() !== "" && !value.includes("[["));
const userParts = fc.array(
  fc.oneof(
    text.map((value) => ({ type: "input_text", text: value })),
    fc.constant({ type: "input_image", image_url: "https://example.com/a.png", detail: "low" }),
    fc.constant({ type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" }),
  ),
  { minLength: 1, maxLength: 3 },
);
const callId = fc.stringMatching(/^call_[a-zA-Z0-9]{1,80}$/);
const turns = fc.oneof(
  text.map((content) => [{ role: "user", content }]),
  userParts.map((content) => [{ type: "message", role: "user", content, id: "msg_1", status: "completed" }]),
  text.map((content) => [{ role: "system", content }]),
  text.map((content) => [{ type: "message", role: "developer", content: [{ type: "input_text", text: content }] }]),
  fc.string().map((content) => [{ role: "assistant", content }]),
  text.map((value) => [
    {
      type: "message",
      id: "msg_9",
      role: "assistant",
      status: "completed",
      content: [{ type: "output_text", text: value, annotations: [], logprobs: [] }],
    },
  ]),
  fc.constant([{ type: "reasoning", id: "rs_1", summary: [], encrypted_content: null }]),
  callId.map((call_id) => [
    { type: "function_call", id: "fc_1", call_id, name: "f", arguments: "{}", status: "completed" },
    { type: "function_call_output", call_id, output: [{ type: "input_text", text: "ok" }] },
  ]),
  callId.map((call_id) => [
    { type: "custom_tool_call", call_id, name: "patch", input: "x" },
    { type: "custom_tool_call_output", call_id, output: "done" },
  ]),
);
const requests = fc.record(
  {
    input: fc.oneof(
      text,
      fc
        .tuple(text, fc.array(turns, { maxLength: 5 }))
        .map(([first, rest]) => [{ role: "user", content: first }, ...rest.flat()]),
    ),
    instructions: fc.option(text),
    store: fc.option(fc.boolean()),
    temperature: fc.double({ min: 0, max: 2, noNaN: true }),
    max_output_tokens: fc.integer({ min: 16, max: 4000 }),
    metadata: fc.constant({ a: "b" }),
    truncation: fc.constantFrom("auto", "disabled"),
    parallel_tool_calls: fc.boolean(),
    tool_choice: fc.constantFrom("auto", "none", { type: "function", name: "f" }),
    tools: fc.constantFrom(
      [],
      [
        { type: "function", name: "f", parameters: { type: "object", properties: {} } },
        { type: "custom", name: "patch" },
        { type: "web_search_preview" },
      ],
    ),
    reasoning: fc.constantFrom({ effort: "low", summary: "auto" }, { effort: "minimal" }, { context: "all_turns" }),
    reasoning_effort: fc.constantFrom("high", "none"),
    text: fc.constantFrom(
      { verbosity: "low" },
      { format: { type: "json_schema", name: "n", schema: { type: "object" } } },
    ),
    service_tier: fc.constantFrom("auto", "priority", "flex"),
    user: text,
    prompt_cache_key: text,
    include: fc.constantFrom([], ["web_search_call.action.sources"]),
  },
  { requiredKeys: ["input"] },
);
