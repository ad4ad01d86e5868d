import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runtimes } from "../support/runtimes.ts";
import { type RunningServer, startServer } from "../support/server.ts";
import { startUpstream, type Upstream, writeAuthFile } from "../upstream/index.ts";

const RESPONSES = "/backend-api/codex/responses";
const MODELS = ["gpt-5.5", "gpt-6.1-sol", "gpt-6-luna"] as const;
// biome-ignore lint/suspicious/noExplicitAny: foreign answers, checked field by field
type Json = any;

describe.each(runtimes)("the started server on $name", (runtime) => {
  let upstream: Upstream;
  let server: RunningServer;

  beforeAll(async () => {
    upstream = await startUpstream();
    server = await startServer(runtime, { upstream, prepare: (codexHome) => void writeAuthFile(codexHome, "chatgpt") });
  });
  beforeEach(() => upstream.reset());
  afterAll(async () => {
    await server?.stop();
    await upstream?.close();
  });

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(server.url + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const answer = async (path: string, body: unknown, headers?: Record<string, string>): Promise<Json> => {
    const response = await post(path, body, headers);
    const json = await response.json();
    expect([response.status, json]).toEqual([200, expect.anything()]);
    return json;
  };
  const user = (content: unknown) => ({ role: "user", content });
  const image =
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

  describe.each(MODELS)("%s", (model) => {
    it("answers all three APIs whole", async () => {
      const chat = await answer("/v1/chat/completions", {
        model,
        messages: [{ role: "system", content: "Be kind." }, user("hello ☃")],
      });
      expect(chat).toMatchObject({ object: "chat.completion", model, choices: [{ finish_reason: "stop" }] });
      expect(chat.choices[0].message.content).toContain("hello ☃");
      expect(chat.usage.total_tokens).toBe(chat.usage.prompt_tokens + chat.usage.completion_tokens);
      const message = await answer("/v1/messages", {
        model,
        max_tokens: 500,
        system: "Be kind.",
        messages: [user("hello ☃")],
      });
      expect(message).toMatchObject({ type: "message", role: "assistant", model, stop_reason: "end_turn" });
      expect(message.content.at(-1).text).toContain("hello ☃");
      const response = await answer("/v1/responses", { model, instructions: "Be kind.", input: "hello ☃" });
      expect(response).toMatchObject({ object: "response", model, status: "completed", instructions: "Be kind." });
      expect(response.output.at(-1).content[0].text).toContain("hello ☃");
    });

    it("streams all three APIs to their own end", async () => {
      const chat = await (
        await post("/v1/chat/completions", { model, stream: true, messages: [user("hello")] })
      ).text();
      expect(chat.trimEnd().endsWith("data: [DONE]")).toBe(true);
      const message = await (
        await post("/v1/messages", { model, max_tokens: 500, stream: true, messages: [user("hello")] })
      ).text();
      expect(message).toMatch(
        /^event: message_start\n[\s\S]*event: message_stop\ndata: \{"type":"message_stop"\}\n\n$/,
      );
      const response = await (await post("/v1/responses", { model, stream: true, input: "hello" })).text();
      const numbers = [...response.matchAll(/"sequence_number":(\d+)/g)].map((match) => Number(match[1]));
      expect(numbers).toEqual(numbers.map((_, index) => index));
      expect(response).toMatch(/event: response\.completed\n[^\n]*\n\n$/);
    });

    it("makes a tool round trip in all three APIs", async () => {
      const schema = { type: "object", properties: { path: { type: "string" } }, required: ["path"] };
      const ask = '[[tool name=Read args={"path":"a.txt"}]]';
      const tools = [{ type: "function", function: { name: "Read", parameters: schema } }];
      const first = (await answer("/v1/chat/completions", { model, messages: [user(ask)], tools })).choices[0];
      expect(first).toMatchObject({
        finish_reason: "tool_calls",
        message: { tool_calls: [{ function: { name: "Read", arguments: '{"path":"a.txt"}' } }] },
      });
      const result = { role: "tool", tool_call_id: first.message.tool_calls[0].id, content: "file text" };
      const last = await answer("/v1/chat/completions", { model, messages: [user(ask), first.message, result], tools });
      expect(last.choices[0].message.content).toContain("file text");

      const anthropic = { model, max_tokens: 500, tools: [{ name: "Read", input_schema: schema }] };
      const call = await answer("/v1/messages", { ...anthropic, messages: [user(ask)] });
      const use = call.content.find((block: Json) => block.type === "tool_use");
      expect([call.stop_reason, use.name, use.input]).toEqual(["tool_use", "Read", { path: "a.txt" }]);
      const picture = { type: "image", source: { type: "base64", media_type: "image/png", data: image.slice(22) } };
      const results = user([
        { type: "tool_result", tool_use_id: use.id, content: [{ type: "text", text: "file text" }, picture] },
      ]);
      const end = await answer("/v1/messages", {
        ...anthropic,
        messages: [user(ask), { role: "assistant", content: call.content }, results],
      });
      expect(end.content.at(-1).text).toContain("file text");

      const functions = [{ type: "function", name: "Read", parameters: schema, strict: false }];
      const step = await answer("/v1/responses", { model, input: [user(ask)], tools: functions });
      const item = step.output.find((one: Json) => one.type === "function_call");
      const output = { type: "function_call_output", call_id: item.call_id, output: "file text" };
      const done = await answer("/v1/responses", {
        model,
        previous_response_id: step.id,
        input: [output],
        tools: functions,
      });
      expect(done.output.at(-1).content[0].text).toContain("file text");
      expect(upstream.requestsTo(RESPONSES).flatMap((request) => request.leaks)).toEqual([]);
    });

    it("takes images and gives structured output", async () => {
      const parts = [
        { type: "text", text: "look" },
        { type: "image_url", image_url: { url: image } },
      ];
      const schema = {
        type: "object",
        properties: { title: { type: "string" } },
        required: ["title"],
        additionalProperties: false,
      };
      const chat = await answer("/v1/chat/completions", { model, messages: [user(parts)] });
      expect(chat.choices[0].message.content).toContain("IMAGE:image/png");
      const format = { type: "json_schema", json_schema: { name: "t", strict: true, schema } };
      const object = await answer("/v1/chat/completions", {
        model,
        messages: [user("title")],
        response_format: format,
      });
      expect(Object.keys(JSON.parse(object.choices[0].message.content))).toEqual(["title"]);
    });
  });

  it("tells what upstream was not sent", async () => {
    const response = await post("/v1/chat/completions", {
      model: "gpt-5.5",
      messages: [user("x")],
      temperature: 0.1,
      max_tokens: 50,
    });
    await response.text();
    expect([response.status, response.headers.get("x-codex-proxy-dropped")?.split(",").sort()]).toEqual([
      200,
      ["max_tokens", "temperature"],
    ]);
  });

  it("answers the operations endpoints", async () => {
    const get = async (path: string) => (await fetch(server.url + path)).json() as Promise<Json>;
    expect(await get("/health")).toEqual({ ok: true, version: expect.any(String), uptime_seconds: expect.any(Number) });
    expect(await get("/ready")).toMatchObject({
      ok: true,
      https_proxy: null,
      mode: "chatgpt",
      upstream_base: upstream.chatgptBaseUrl,
    });
    const keys = Object.keys(await get("/metrics"));
    expect(keys.slice(0, 7)).toEqual([
      "requests_total",
      "requests_ok",
      "requests_error",
      "errors_by_status",
      "token_refresh_total",
      "models_cache_hits",
      "models_cache_misses",
    ]);
    const prometheus = await fetch(`${server.url}/metrics/prometheus`);
    expect(prometheus.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    expect(await prometheus.text()).toContain("# TYPE codex_api_proxy_requests_total counter");
    const models = await get("/v1/models");
    expect(models.data.map((model: Json) => model.id)).toEqual([...models.data.map((model: Json) => model.id)].sort());
    expect(models.data.find((model: Json) => model.id === "gpt-6.1-sol")).toMatchObject({
      object: "model",
      owned_by: "openai",
      context_window: 272000,
    });
    expect(models.data.some((model: Json) => model.id === "codex-auto-review")).toBe(false);
  });

  it("returns the client's request id, or makes one", async () => {
    const given = await fetch(`${server.url}/health`, { headers: { "x-request-id": "abc.1" } });
    expect(given.headers.get("x-request-id")).toBe("abc.1");
    expect((await fetch(`${server.url}/health`)).headers.get("x-request-id")).toMatch(/^[0-9a-f]{32}$/);
  });

  it("answers bad input in the dialect's envelope and goes on", async () => {
    const cases: [path: string, body: unknown, status: number, message: RegExp][] = [
      ["/v1/chat/completions", "{", 400, /^invalid JSON body/],
      ["/v1/chat/completions", [], 400, /^request body must be a JSON object$/],
      ["/v1/chat/completions", { messages: [user("x")] }, 400, /^model is required$/],
      ["/v1/chat/completions", { model: "gpt-5.5" }, 400, /^messages is required$/],
      ["/v1/chat/completions", { model: "gpt-5.5", messages: "x" }, 400, /messages/],
      [
        "/v1/chat/completions",
        { model: "gpt-5.5", messages: [{ role: "user", content: 5 }] },
        400,
        /messages\[0\]\.content/,
      ],
      ["/v1/chat/completions", { model: "nonsense", messages: [user("x")] }, 404, /nonsense/],
      ["/v1/responses", { input: "x" }, 400, /^model is required$/],
      ["/v1/responses", { model: "gpt-5.5", input: 5 }, 400, /input/],
      ["/v1/messages", { model: "gpt-5.5", messages: [user("x")], max_tokens: "many" }, 400, /max_tokens/],
      ["/v1/messages", { max_tokens: 5, messages: [user("x")] }, 400, /^model is required$/],
      ["/v1/nothing", {}, 404, /\/v1\/nothing/],
      ["/v1/embeddings", { model: "x", input: "y" }, 501, /API key/],
    ];
    for (const [path, body, status, message] of cases) {
      const response = await post(path, body);
      const json = (await response.json()) as Json;
      expect([path, response.status, json.error.message]).toEqual([path, status, expect.stringMatching(message)]);
      if (path === "/v1/messages")
        expect(json).toMatchObject({
          type: "error",
          error: { type: "invalid_request_error" },
          request_id: expect.any(String),
        });
    }
    const wrongMethod = await fetch(`${server.url}/v1/chat/completions`);
    expect([wrongMethod.status, wrongMethod.headers.get("allow")]).toEqual([405, "POST"]);
    await wrongMethod.text();
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
  });

  it("cancels upstream within a second when a client leaves", async () => {
    upstream.script(RESPONSES, { paceMs: 20 });
    const abort = new AbortController();
    const response = await fetch(`${server.url}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "gpt-5.5", max_tokens: 9000, stream: true, messages: [user("[[long 900]]")] }),
      signal: abort.signal,
    });
    await response.body?.getReader().read();
    const leftAt = Date.now();
    abort.abort();
    await expect.poll(() => upstream.requestsTo(RESPONSES)[0]?.closedByClient, { timeout: 3_000 }).toBe(true);
    expect((upstream.requestsTo(RESPONSES)[0]?.closedAt ?? 0) - leftAt).toBeLessThan(1_000);
  });

  it("cancels upstream when a client leaves before the headers", async () => {
    upstream.script(RESPONSES, { stallMs: 20_000 });
    const abort = new AbortController();
    const pending = fetch(`${server.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "gpt-5.5", messages: [user("x")] }),
      signal: abort.signal,
    }).catch(() => undefined);
    await expect.poll(() => upstream.requestsTo(RESPONSES).length, { timeout: 3_000 }).toBe(1);
    abort.abort();
    await pending;
    await expect.poll(() => upstream.requestsTo(RESPONSES)[0]?.closedByClient, { timeout: 3_000 }).toBe(true);
  });

  it("refuses a WebSocket upgrade at once", async () => {
    const { request } = await import("node:http");
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      };
      const sent = request(`${server.url}/v1/responses`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on("error", reject);
      sent.end();
    });
    expect(status).toBe(426);
  });
});

describe.each(runtimes)("API-key mode on $name", (runtime) => {
  let upstream: Upstream;
  let server: RunningServer;
  beforeAll(async () => {
    upstream = await startUpstream();
    server = await startServer(runtime, { upstream, prepare: (codexHome) => void writeAuthFile(codexHome, "apikey") });
  });
  afterAll(async () => {
    await server?.stop();
    await upstream?.close();
  });

  it("hands requests on with their bytes untouched and answers the same way", async () => {
    const body = '{ "model":"gpt-5.5",  "messages":[{"role":"user","content":"hi \\u2603"}] , "temperature":0.5}';
    const headers = { "content-type": "application/json", authorization: "Bearer client-key", cookie: "a=b" };
    const response = await fetch(`${server.url}/v1/chat/completions`, { method: "POST", headers, body });
    expect([response.status, (await response.json()) as Json]).toMatchObject([200, { object: "chat.completion" }]);
    const sent = upstream.requestsTo("/v1/chat/completions")[0];
    expect([sent?.raw.toString(), sent?.leaks]).toEqual([body, []]);
    expect(response.headers.get("set-cookie")).toBeNull();
  });

  it("forwards other paths and their queries", async () => {
    const response = await fetch(`${server.url}/v1/files?purpose=x`, {
      method: "POST",
      body: Uint8Array.from([0, 1, 255]),
    });
    expect(response.status).toBe(200);
    await response.text();
    const sent = upstream.requests.find((request) => request.path === "/v1/files");
    expect([sent?.query, [...(sent?.raw ?? [])]]).toEqual([{ purpose: "x" }, [0, 1, 255]]);
  });

  it("translates messages for the platform", async () => {
    const response = await fetch(`${server.url}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model: "gpt-5.5",
        max_tokens: 100,
        temperature: 0.3,
        messages: [{ role: "user", content: "hello" }],
      }),
    });
    expect([response.status, await response.json()]).toMatchObject([200, { type: "message" }]);
    expect(upstream.requestsTo("/v1/responses").at(-1)?.json).toMatchObject({
      temperature: 0.3,
      max_output_tokens: 100,
    });
  });
});
