import { describe, expect, it } from "vitest";
import { useApp } from "./support/app.ts";

const app = useApp();
const user = (content: unknown) => ({ role: "user", content });
const chat = async (body: Record<string, unknown>) => {
  const response = await app.post("/v1/chat/completions", { model: "gpt-5.5", ...body });
  // biome-ignore lint/suspicious/noExplicitAny: a foreign answer, checked field by field
  return { response, body: (await response.json()) as any };
};
const chunks = async (body: Record<string, unknown>) => {
  const response = await app.post("/v1/chat/completions", { model: "gpt-5.5", stream: true, ...body });
  const text = await response.text();
  const data = [...text.matchAll(/^data: (\{.*)$/gm)].map((match) => JSON.parse(match[1] as string));
  return { response, text, data };
};
const tool = (name: string) => ({
  type: "function",
  function: { name, parameters: { type: "object", properties: { a: { type: "integer" } }, required: ["a"] } },
});

describe("POST /v1/chat/completions", () => {
  it("cuts at a stop string and tells upstream to stop", async () => {
    const { body } = await chat({ messages: [user("[[long 200]]")], stop: ["w7 "] });
    expect(body.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: "w0 w1 w2 w3 w4 w5 w6 " } });
  });

  it("ends at max_tokens with finish_reason length, whole and streamed", async () => {
    const { body, response } = await chat({ messages: [user("[[long 200]]")], max_tokens: 8, temperature: 0.2 });
    expect(body.choices[0].finish_reason).toBe("length");
    expect(body.usage.completion_tokens).toBeLessThanOrEqual(8);
    expect(response.headers.get("x-codex-proxy-dropped")?.split(",").sort()).toEqual(["max_tokens", "temperature"]);
    const { data } = await chunks({ messages: [user("[[long 200]]")], max_tokens: 8 });
    expect(data.at(-1).choices[0].finish_reason).toBe("length");
  });

  it("answers n choices side by side, whole and streamed", async () => {
    const { body } = await chat({ messages: [user("hi")], n: 3 });
    expect(body.choices.map((choice: { index: number }) => choice.index)).toEqual([0, 1, 2]);
    const { data, text } = await chunks({ messages: [user("hi")], n: 2, stream_options: { include_usage: true } });
    expect(new Set(data.map((chunk) => chunk.id)).size).toBe(1);
    expect(
      data
        .filter((chunk) => chunk.choices[0]?.finish_reason === "stop")
        .map((chunk) => chunk.choices[0].index)
        .sort(),
    ).toEqual([0, 1]);
    expect(data.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
    expect(text.match(/\[DONE\]/g)?.length).toBe(1);
  });

  it("keeps the model's reasoning in a tool loop", async () => {
    for (const model of ["gpt-5.5", "gpt-6.1-sol"]) {
      app.upstream.reset();
      const ask = user('[[reason]] [[tool name=add args={"a":2}]]');
      const first = await chat({ model, messages: [ask], tools: [tool("add")], reasoning_effort: "high" });
      const call = first.body.choices[0].message;
      expect(call.tool_calls[0].function).toEqual({ name: "add", arguments: '{"a":2}' });
      expect(first.body.choices[0].finish_reason).toBe("tool_calls");
      const answer = { role: "tool", tool_call_id: call.tool_calls[0].id, content: "42" };
      const second = await chat({
        model,
        messages: [ask, call, answer],
        tools: [tool("add")],
        reasoning_effort: "high",
      });
      expect(second.body.choices[0].message.content).toContain("TOOL-RESULT: 42");
      const sent = app.upstream.requestsTo("/backend-api/codex/responses")[1]?.json as { input: { type: string }[] };
      expect(sent.input.map((item) => item.type).slice(-3)).toEqual([
        "reasoning",
        "function_call",
        "function_call_output",
      ]);
    }
  });

  it("tells an unknown model as 404 model_not_found with the models there are", async () => {
    const { response, body } = await chat({ model: "gpt-3", messages: [user("x")] });
    expect([response.status, body.error.code]).toEqual([404, "model_not_found"]);
    expect(body.error.message).toContain("gpt-6.1-sol");
  });

  it("uses effort suffixes and aliases", async () => {
    const { body } = await chat({ model: "gpt-6.1-sol-high", messages: [user("x")] });
    expect(body.model).toBe("gpt-6.1-sol-high");
    const sent = app.upstream.requestsTo("/backend-api/codex/responses")[0]?.json as {
      model: string;
      reasoning: { effort: string };
    };
    expect([sent.model, sent.reasoning.effort]).toEqual(["gpt-6.1-sol", "high"]);
  });

  it("answers bad requests with the documented texts", async () => {
    for (const [body, message, param] of [
      ["{", "invalid JSON body", null],
      ["[]", "request body must be a JSON object", null],
      [{ messages: [user("x")] }, "model is required", "model"],
      [{ model: "gpt-5.5" }, "messages is required", "messages"],
      [{ model: "gpt-5.5", messages: [] }, "at least one user or assistant message is required", "messages"],
    ] as const) {
      const response = await app.post("/v1/chat/completions", body);
      expect([response.status, await response.json()]).toEqual([
        400,
        { error: { message, type: "invalid_request_error", param, code: null } },
      ]);
    }
    expect((await app.get("/v1/chat/completions")).status).toBe(405);
    expect((await app.get("/v1/nothing")).status).toBe(404);
  });

  it("refuses in strict mode what would be dropped", async () => {
    app.restart({ strict: true });
    const { response, body } = await chat({ messages: [user("x")], temperature: 0.5 });
    expect([response.status, body.error.param]).toEqual([400, "temperature"]);
    expect((await chat({ messages: [user("x")], max_tokens: 500 })).response.status).toBe(200);
    app.restart();
  });
});

describe("upstream faults", () => {
  const path = "/backend-api/codex/responses";
  it("repeats overload hidden in a 200 and then succeeds", async () => {
    app.upstream.script(path, { fixture: "failed-server_is_overloaded.sse" });
    const { response, body } = await chat({ messages: [user("hello")] });
    expect([response.status, body.choices[0].finish_reason]).toEqual([200, "stop"]);
    expect(app.upstream.requestsTo(path)).toHaveLength(2);
  });

  it("gives 503 when overload lasts, 429 with the reset time for a used-up plan", async () => {
    app.upstream.script(path, { fixture: "failed-server_is_overloaded.sse", times: 9 });
    expect((await chat({ messages: [user("hello")] })).response.status).toBe(503);
    app.upstream.reset();
    app.upstream.script(path, { fixture: "http-429-usage_limit_reached.json" });
    const { response, body } = await chat({ messages: [user("hello")] });
    expect([response.status, body.error.code]).toEqual([429, "insufficient_quota"]);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(app.upstream.requestsTo(path)).toHaveLength(1);
  });

  it("never ends a broken answer like a good one", async () => {
    for (const behaviour of [
      { cut: "mid-event", afterEvents: 6 },
      { cut: "between-events", afterEvents: 6 },
      { terminal: "none" },
      { terminal: { failed: "server_error" } },
      { malformedEvents: true },
    ] as const) {
      app.upstream.reset();
      app.upstream.script(path, { ...behaviour, times: 9 });
      const streamed = await chunks({ messages: [user("hello world")] });
      expect([behaviour, streamed.text.includes("[DONE]")]).toEqual([behaviour, false]);
      expect([behaviour, streamed.text]).toEqual([behaviour, expect.stringContaining('"error"')]);
      const whole = await chat({ messages: [user("hello world")] });
      expect([behaviour, whole.response.status]).toEqual([behaviour, expect.any(Number)]);
      expect(whole.response.status).toBeGreaterThanOrEqual(500);
    }
  });

  it("cancels upstream when the client leaves a stream", async () => {
    app.upstream.script(path, { paceMs: 20 });
    const response = await app.post("/v1/chat/completions", {
      model: "gpt-5.5",
      stream: true,
      messages: [user("[[long 500]]")],
    });
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await expect.poll(() => app.upstream.requestsTo(path)[0]?.closedByClient).toBe(true);
  });
});

describe("a forced tool on a model whose lane takes no forced choice", () => {
  const model = "gpt-6.1-sol";
  const { name, parameters } = tool("f").function;

  it("is called in Chat, streamed and whole alike, and the conversation goes on", async () => {
    const asked = { model, messages: [user("go")], tools: [tool("f")], tool_choice: "required" };
    const { body, response } = await chat(asked);
    const [call] = body.choices[0].message.tool_calls;
    expect(body.choices[0]).toMatchObject({ finish_reason: "tool_calls", message: { content: null } });
    expect(JSON.parse(call.function.arguments)).toEqual({ a: expect.any(Number) });
    expect(response.headers.get("x-codex-proxy-dropped")).toBe("tool_choice");
    const { data } = await chunks(asked);
    const told = data.flatMap((chunk) => chunk.choices[0].delta.tool_calls ?? []);
    expect(told[0].function.name).toBe("f");
    expect(told.map((each) => each.function.arguments).join("")).toBe(call.function.arguments);
    expect(data.at(-1).choices[0].finish_reason).toBe("tool_calls");
    const result = { role: "tool", tool_call_id: call.id, content: "done" };
    const next = await chat({ ...asked, tool_choice: "auto", messages: [user("go"), body.choices[0].message, result] });
    expect(next.body.choices[0].message.content).toContain("TOOL-RESULT: done");
  });

  it("is called as the model itself calls it", async () => {
    const asked = { model, tools: [tool("f"), tool("g")], tool_choice: { type: "function", function: { name: "g" } } };
    const { body } = await chat({ ...asked, messages: [user('[[tool name=g args={"a":7}]]')] });
    expect(body.choices[0].message.tool_calls).toMatchObject([{ function: { name: "g", arguments: '{"a":7}' } }]);
  });

  it("is called in Messages", async () => {
    const response = await app.post("/v1/messages", {
      model,
      max_tokens: 500,
      messages: [user("go")],
      tools: [{ name, input_schema: parameters }],
      tool_choice: { type: "tool", name },
    });
    const { content, stop_reason } = await response.json();
    expect([stop_reason, content.at(-1)]).toMatchObject(["tool_use", { name, input: { a: expect.any(Number) } }]);
  });

  it("is called in Responses, streamed with the events of a call only", async () => {
    const tools = [{ type: "function", name, parameters, strict: false }];
    const response = await app.post("/v1/responses", {
      model,
      stream: true,
      input: "go",
      tools,
      tool_choice: { type: "function", name },
    });
    const events = [...(await response.text()).matchAll(/^data: (\{.*)$/gm)].map((match) =>
      JSON.parse(match[1] as string),
    );
    expect(events.map((event) => event.sequence_number)).toEqual([...events.keys()]);
    expect(events.filter((event) => /output_text|content_part/.test(event.type))).toEqual([]);
    expect(events.at(-1).response).toMatchObject({
      tool_choice: { type: "function", name },
      output: [{ type: "reasoning" }, { type: "function_call", name, status: "completed" }],
    });
  });
});

describe("a refusal for a Codex client", () => {
  it("keeps upstream's shape and its rate-limit headers", async () => {
    app.upstream.script("/backend-api/codex/responses", {
      fixture: "http-429-usage_limit_reached.json",
      headers: { "x-codex-primary-used-percent": "100" },
    });
    const response = await app.post("/v1/responses", { model: "gpt-5.5", input: "hello" });
    expect([
      response.status,
      response.headers.get("x-codex-primary-used-percent"),
      response.headers.get("x-should-retry"),
    ]).toEqual([429, "100", "false"]);
    expect(await response.json()).toMatchObject({
      error: { type: "usage_limit_reached", resets_at: expect.any(Number), plan_type: expect.any(String) },
    });
  });
});

describe("what an SDK is not to repeat", () => {
  it("says so of an endpoint that a ChatGPT login does not have", async () => {
    const response = await app.post("/v1/embeddings", { model: "text-embedding-3-small", input: "hello" });
    expect([response.status, response.headers.get("x-should-retry")]).toEqual([501, "false"]);
  });
});

describe("an upstream that is silent", () => {
  it("is given up after the idle time, before and after its headers", async () => {
    app.restart({ idleTimeout: 0.3, maxAttempts: 1 });
    for (const stall of [{ stallMs: 5_000 }, { stallMs: 5_000, stallAfterEvents: 6 }]) {
      app.upstream.reset();
      app.upstream.script("/backend-api/codex/responses", stall);
      const { response, body } = await chat({ messages: [user("hello")] });
      expect([stall, response.status, body.error.code]).toEqual([stall, 504, "upstream_timeout"]);
    }
    app.restart();
  });
});
