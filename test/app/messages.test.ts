import { readdirSync, readFileSync } from "node:fs";
import Anthropic from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";
import { useApp } from "./support/app.ts";

type Json = Record<string, unknown>;

const app = useApp();
const LANES = ["gpt-5.5", "gpt-6.1-sol"];

/** Anthropic's own client in front of the app. */
const sdk = new Anthropic({
  apiKey: "any",
  baseURL: "http://127.0.0.1:8765",
  maxRetries: 0,
  fetch: (url, init) => {
    const headers = new Headers(init?.headers);
    headers.set("host", "127.0.0.1:8765");
    return Promise.resolve(app.app.fetch(new Request(url as string, { ...(init as RequestInit), headers })));
  },
});

const ask = (content: string) => [{ role: "user" as const, content }];
const weather = {
  name: "get_weather",
  description: "Weather",
  input_schema: { type: "object" as const, properties: { city: { type: "string" } }, required: ["city"] },
};
const sent = () => app.upstream.requestsTo("/backend-api/codex/responses").map((request) => request.json as Json);
const itemsOf = (body: Json | undefined) => (body?.input ?? []) as Json[];

describe.each(LANES)("POST /v1/messages with %s", (model) => {
  it("carries reasoning, calls and results round, streamed, without a refusal upstream", async () => {
    const question = ask('[[reason]] [[tool name=get_weather args={"city":"Bern"}]]');
    const params = {
      model,
      max_tokens: 4000,
      tools: [weather],
      thinking: { type: "enabled" as const, budget_tokens: 2000 },
    };
    const first = await sdk.messages.stream({ ...params, messages: question }).finalMessage();
    expect(first.stop_reason).toBe("tool_use");
    expect(first.content.map((block) => block.type)).toContain("tool_use");
    expect(first.content[0]?.type).toMatch(/thinking/);
    const call = first.content.find((block) => block.type === "tool_use");
    expect(call?.input).toEqual({ city: "Bern" });
    const reply = { type: "tool_result" as const, tool_use_id: call?.id ?? "", content: "sunny-tgs" };
    const second = await sdk.messages.create({
      ...params,
      messages: [...question, { role: "assistant", content: first.content }, { role: "user", content: [reply] }],
    });
    expect(JSON.stringify(second.content)).toContain("sunny-tgs");
    expect(second.stop_reason).toBe("end_turn");
    expect(app.upstream.requests.filter((request) => request.refusal !== undefined)).toEqual([]);
    const [before, after] = sent();
    expect(itemsOf(after).slice(0, itemsOf(before).length)).toEqual(itemsOf(before));
    expect(itemsOf(after).map((item) => item.type)).toContain("reasoning");
  });

  it("a foreign signature never fails a turn", async () => {
    const foreign = [
      { type: "thinking" as const, thinking: "x", signature: "EqQBCgIYAhIM1gbcDa9GJwZA2b3h" },
      { type: "thinking" as const, thinking: "x", signature: `codex-1:${model}:c3RhbGU=` },
      { type: "text" as const, text: "hello" },
    ];
    const messages = [...ask("hi"), { role: "assistant" as const, content: foreign }, ...ask("[[say pong]]")];
    const answer = await sdk.messages.create({ model, max_tokens: 100, messages });
    expect(answer.content).toMatchObject([{ type: "text", text: "pong" }]);
  });

  it("pictures and documents arrive, in messages and in results", async () => {
    const data = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    const image = {
      type: "image" as const,
      source: { type: "base64" as const, media_type: "image/png" as const, data },
    };
    const pdf = {
      type: "document" as const,
      source: { type: "base64" as const, media_type: "application/pdf" as const, data: "JVBERi0xLjQK" },
    };
    const messages = [
      ...ask("[[tool name=get_weather]]"),
      {
        role: "assistant" as const,
        content: [{ type: "tool_use" as const, id: "toolu_1", name: "get_weather", input: {} }],
      },
      {
        role: "user" as const,
        content: [{ type: "tool_result" as const, tool_use_id: "toolu_1", content: [image, pdf] }, image, pdf],
      },
    ];
    const answer = await sdk.messages.create({ model, max_tokens: 100, tools: [weather], messages });
    expect(answer.stop_reason).toBe("end_turn");
    expect(app.upstream.requests.filter((request) => request.refusal !== undefined)).toEqual([]);
    expect(JSON.stringify(sent().at(-1)).match(/input_image|input_file/g)).toHaveLength(4);
  });

  it("structured output is one JSON text", async () => {
    const schema = {
      type: "object",
      properties: { city: { type: "string" }, temp: { type: "number" } },
      required: ["city", "temp"],
      additionalProperties: false,
    };
    const answer = await sdk.messages.create({
      model,
      max_tokens: 100,
      messages: ask("weather as data"),
      output_config: { format: { type: "json_schema", schema } },
    });
    const [block] = answer.content;
    expect(Object.keys(JSON.parse(block?.type === "text" ? block.text : ""))).toEqual(["city", "temp"]);
  });

  it("a stop string and max_tokens are honoured", async () => {
    const stopped = await sdk.messages.create({
      model,
      max_tokens: 500,
      messages: ask("[[long 200]]"),
      stop_sequences: ["w7 "],
    });
    expect(stopped).toMatchObject({ stop_reason: "stop_sequence", stop_sequence: "w7 " });
    const cut = await sdk.messages.stream({ model, max_tokens: 8, messages: ask("[[long 200]]") }).finalMessage();
    expect(cut.stop_reason).toBe("max_tokens");
  });
});

describe("POST /v1/messages", () => {
  it("web search comes back as the API's blocks", async () => {
    const answer = await sdk.messages.create({
      model: "gpt-5.5",
      max_tokens: 500,
      tools: [{ type: "web_search_20250305", name: "web_search", max_uses: 8 }],
      messages: ask("Perform a web search for the query: what is pong"),
    });
    const [use, result] = answer.content;
    expect(use).toMatchObject({ type: "server_tool_use", name: "web_search", input: { query: "what is pong" } });
    expect(result).toMatchObject({ type: "web_search_tool_result", tool_use_id: (use as { id: string }).id });
    expect((result as { content: object[] }).content[0]).toMatchObject({
      type: "web_search_result",
      title: "example.com",
    });
    expect(answer.usage.server_tool_use?.web_search_requests).toBe(1);
  });

  it("parallel calls come one after another", async () => {
    const tools = ["a", "b", "c"].map((name) => ({ ...weather, name }));
    const text =
      '[[tool name=a args={"city":"1"}]] [[tool name=b args={"city":"2"}]] [[tool name=c args={"city":"3"}]]';
    const answer = await sdk.messages
      .stream({ model: "gpt-5.5", max_tokens: 500, tools, messages: ask(text) })
      .finalMessage();
    expect(answer.content).toMatchObject([
      { name: "a", input: { city: "1" } },
      { name: "b", input: { city: "2" } },
      { name: "c", input: { city: "3" } },
    ]);
  });

  it("a refusal of the plan's limit is a 429 that says when it ends", async () => {
    app.upstream.script(/codex\/responses/, { fixture: "http-429-usage_limit_reached.json" });
    await expect(sdk.messages.create({ model: "gpt-5.5", max_tokens: 9, messages: ask("x") })).rejects.toMatchObject({
      status: 429,
      type: "rate_limit_error",
      message: expect.stringMatching(/resets (at|in)/i),
    });
  });

  it("an overflow is the sentence that Claude Code compacts on", async () => {
    app.upstream.script(/codex\/responses/, { fixture: "failed-context_length_exceeded.sse", times: 9 });
    for (const stream of [false, true]) {
      const response = await app.post("/v1/messages", { model: "gpt-5.5", max_tokens: 9, messages: ask("x"), stream });
      expect(await response.text()).toMatch(/prompt is too long: \d+ tokens > \d+ maximum/);
    }
  });

  const fixtures = new URL("../fixtures/clients/", import.meta.url);
  const names = readdirSync(fixtures).filter((name) => /claude-code|anthropic/.test(name));
  it.each(names)("%s is accepted on both lanes", async (name) => {
    const recorded = JSON.parse(readFileSync(new URL(name, fixtures), "utf8")) as { request: string; body: Json };
    if (!/messages(\?|$)/.test(recorded.request) || name.includes("continue")) return;
    const { tools, ...body } = recorded.body;
    const kept = Array.isArray(tools) ? { tools: tools.filter((tool) => typeof tool === "object") } : {};
    for (const model of LANES) {
      const response = await app.post("/v1/messages?beta=true", { ...body, ...kept, model });
      expect(await response.text()).not.toContain('"type":"error"');
      expect(response.status).toBe(200);
    }
    // What a model's lane takes is found out once: whether it is in the fuller lane, whether a tool can be forced.
    const refusals = app.upstream.requests.map((request) => request.refusal ?? "");
    expect(
      refusals.filter((refusal) => !/^$|^Model not found|requires `tool_choice` to be `auto`/.test(refusal)),
    ).toEqual([]);
  });

  it("the SDK's tool runner, which keeps the history on the server, comes to its answer", async () => {
    const runner = sdk.beta.messages.toolRunner({
      model: "gpt-5.5",
      max_tokens: 500,
      messages: ask('[[reason]] [[tool name=get_weather args={"city":"Bern"}]]'),
      tools: [{ ...weather, type: "custom" as const, run: async () => "sunny-tgr", parse: (input: unknown) => input }],
    });
    const final = await runner;
    expect(JSON.stringify(final.content)).toContain("sunny-tgr");
  });
});
