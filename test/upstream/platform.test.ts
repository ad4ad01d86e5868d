import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { doneItems, parseSse, textOf } from "./helpers.ts";
import { DEFAULT_API_KEY, mintToken, startUpstream, type Upstream } from "./index.ts";
import type { JsonObject } from "./json.ts";

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());

const auth = { authorization: `Bearer ${DEFAULT_API_KEY}` };

function post(path: string, body: object): Promise<Response> {
  const headers = { ...auth, "content-type": "application/json" };
  return fetch(`${upstream.openaiBaseUrl}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
}

async function postJson(path: string, body: object): Promise<JsonObject> {
  return (await (await post(path, body)).json()) as JsonObject;
}

test("the key is judged first; a ChatGPT token is none", async () => {
  const status = async (bearer: string) =>
    (await fetch(`${upstream.openaiBaseUrl}/models`, { headers: { authorization: bearer } })).status;
  expect(await status(`Bearer ${DEFAULT_API_KEY}`)).toBe(200);
  expect(await status("Bearer sk-other")).toBe(401);
  expect(await status(`Bearer ${mintToken()}`)).toBe(401);
  expect(await status("")).toBe(401);
});

describe("/responses", () => {
  test("takes what the seat rejects, and answers whole", async () => {
    const body = {
      model: "gpt-5.5",
      input: "hi",
      max_output_tokens: 100,
      temperature: 0.5,
      metadata: { a: "b" },
      store: false,
      user: "u",
    };
    const response = await postJson("/responses", body);
    expect(response).toMatchObject({ object: "response", status: "completed", max_output_tokens: 100 });
    expect(textOf(response.output as JsonObject[])).toContain("You said: hi");
  });

  test("streams with a filled final output", async () => {
    const events = parseSse(await (await post("/responses", { model: "gpt-5.5", input: "hi", stream: true })).text());
    const final = events.at(-1)?.response as JsonObject | undefined;
    expect(final?.output).toEqual(doneItems(events));
  });

  test("keeps a stored answer for the next turn, to be read and deleted", async () => {
    const { id } = await postJson("/responses", { model: "gpt-5.5", input: "hi" });
    const next = await post("/responses", { model: "gpt-5.5", input: "more", previous_response_id: id });
    expect(next.status).toBe(200);
    const read = (method = "GET") =>
      fetch(`${upstream.openaiBaseUrl}/responses/${String(id)}`, { method, headers: auth });
    expect(await (await read()).json()).toMatchObject({ id });
    expect(await (await read("DELETE")).json()).toMatchObject({ deleted: true });
    expect((await read()).status).toBe(404);
    expect((await post("/responses", { model: "gpt-5.5", input: "more", previous_response_id: id })).status).toBe(400);
  });

  test.each<[string, JsonObject, string]>([
    ["a seat tier", { service_tier: "ultrafast" }, "Invalid value: 'ultrafast'"],
    ["an unknown field", { access_programs: [] }, "Unknown parameter: 'access_programs'"],
    ["a small limit", { max_output_tokens: 1 }, "integer below minimum value"],
    ["an unknown model", { model: "claude" }, "does not exist"],
    [
      "a chat tool",
      { tools: [{ type: "function", function: { name: "f" } }] },
      "Unknown parameter: 'tools[0].function'",
    ],
  ])("refuses %s", async (_name, extra, words) => {
    expect(JSON.stringify(await postJson("/responses", { model: "gpt-5.5", input: "hi", ...extra }))).toContain(words);
  });
});

describe("/chat/completions", () => {
  const tools = [
    {
      type: "function",
      function: { name: "f", parameters: { type: "object", properties: { a: { type: "integer" } }, required: ["a"] } },
    },
  ];
  const body = (text: string, extra: object = {}) => ({
    model: "gpt-5.5",
    messages: [{ role: "user", content: text }],
    ...extra,
  });

  test("answers text, tool calls and tool results", async () => {
    expect(await postJson("/chat/completions", body("hi"))).toMatchObject({
      choices: [{ finish_reason: "stop", message: { content: expect.stringContaining("hi") } }],
    });
    expect(await postJson("/chat/completions", body("[[tool name=f]]", { tools }))).toMatchObject({
      choices: [
        { finish_reason: "tool_calls", message: { tool_calls: [{ function: { name: "f", arguments: '{"a":1}' } }] } },
      ],
    });
    const messages = [
      { role: "user", content: "x" },
      { role: "tool", tool_call_id: "c", content: "42" },
    ];
    expect(await postJson("/chat/completions", { model: "gpt-5.5", messages })).toMatchObject({
      choices: [{ message: { content: "TOOL-RESULT: 42" } }],
    });
  });

  test("streams chunks, with usage when asked, and ends with [DONE]", async () => {
    const text = await (
      await post("/chat/completions", body("hi", { stream: true, stream_options: { include_usage: true } }))
    ).text();
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
    const chunks = parseSse(text);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
    expect(chunks[0]).toMatchObject({
      object: "chat.completion.chunk",
      choices: [{ delta: { role: "assistant" } }],
      usage: null,
    });
  });

  test("refuses unknown arguments and roles", async () => {
    expect((await post("/chat/completions", body("hi", { invented: 1 }))).status).toBe(400);
    expect(
      (await post("/chat/completions", { model: "gpt-5.5", messages: [{ role: "robot", content: "x" }] })).status,
    ).toBe(400);
  });
});

test("embeddings are one vector an input, as numbers or base64", async () => {
  const numbers = await postJson("/embeddings", { model: "text-embedding-3-small", input: ["a", "b"] });
  expect(numbers).toMatchObject({ object: "list", data: [{ index: 0, embedding: [0.03, 0.5, -0.25] }, { index: 1 }] });
  const coded = await postJson("/embeddings", { model: "m", input: "a", encoding_format: "base64" });
  expect(coded).toMatchObject({ data: [{ embedding: expect.any(String) }] });
  expect((await post("/embeddings", { model: "m" })).status).toBe(400);
});

test("any other path gives the request's own bytes back", async () => {
  const bytes = Buffer.from([0, 255, 10, 13, 128]);
  const headers = { ...auth, "content-type": "audio/wav" };
  const response = await fetch(`${upstream.openaiBaseUrl}/audio/x?y=1`, { method: "POST", headers, body: bytes });
  expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
  expect(response.headers.get("content-type")).toBe("audio/wav");
  expect(upstream.requests.at(-1)?.raw).toEqual(bytes);
});
