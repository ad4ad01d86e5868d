import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { InputItem, ResponsesBody, Tool } from "../../../src/canonical/request.ts";
import type { Credentials } from "../../../src/credentials/credentials.ts";
import type { UpstreamFetch } from "../../../src/platform.ts";
import { fromResponse } from "../../../src/stream/byte-source.ts";
import {
  DEFAULT_ACCOUNT,
  DEFAULT_API_KEY,
  mintToken,
  readFixtureJson,
  startUpstream,
  type Upstream,
} from "../../upstream/index.ts";
import { CHATGPT, canonical, makeUpstream, sendOptions, user } from "./support.ts";

const realFetch: UpstreamFetch = async (url, request) =>
  fromResponse(await fetch(url, { ...request, redirect: "manual" } as RequestInit));

const IMAGE =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

let double: Upstream;
let login: Credentials;
beforeAll(async () => {
  double = await startUpstream();
  login = { ...CHATGPT, accessToken: mintToken(), accountId: DEFAULT_ACCOUNT };
});
afterAll(() => double.close());
beforeEach(() => double.reset());

function harness(credentials: Credentials = login) {
  const config = { chatgptBaseUrl: double.chatgptBaseUrl, openaiBaseUrl: double.openaiBaseUrl };
  return makeUpstream(realFetch, { config, credentials, live: true });
}

async function send(body: Partial<ResponsesBody>, using = harness()) {
  const answer = await using.upstream.send(canonical(body), sendOptions());
  const text = await answer.response.text(10_000_000);
  return { answer, text, posts: double.requestsTo("/backend-api/codex/responses") };
}

describe("createUpstream against the double", () => {
  test.each([
    ["gpt-5.5", "classic", 1],
    ["gpt-6-luna", "lite", 1],
    ["gpt-6.1-sol", "lite", 1],
    ["auto", "lite", 1],
    ["claude-opus-4-6[1m]", "lite", 1],
    ["gpt-6.1-sol-high", "lite", 1],
  ])("%s answers in the %s lane", async (model, lane, count) => {
    const { answer, text, posts } = await send({ model });
    expect(answer.lane).toBe(lane);
    expect(posts).toHaveLength(count);
    expect(text).toContain("response.completed");
  });

  test("a lane that a model lacks is left, and the next request knows it", async () => {
    const using = harness();
    const tools: Tool[] = [{ type: "web_search" }, { type: "function", name: "f", parameters: {} }];
    const first = await send({ model: "gpt-6.1-sol", tools }, using);
    expect(first.answer.lane).toBe("lite");
    expect(first.answer.dropped).toEqual([{ name: "tools.web_search", honoured: false }]);
    expect(first.posts).toHaveLength(2);
    await send({ model: "gpt-6.1-sol", tools }, using);
    expect(double.requestsTo("/backend-api/codex/responses")).toHaveLength(3);
  });

  test("hosted tools of a model with both lanes go by the full one", async () => {
    const { answer, posts } = await send({ model: "gpt-6-sol", tools: [{ type: "web_search_preview" }] });
    expect(answer.lane).toBe("classic");
    expect(posts).toHaveLength(1);
    expect(answer.dropped).toEqual([]);
  });

  test("an unknown model is told with the names there are", async () => {
    await expect(send({ model: "gpt-2" })).rejects.toMatchObject({
      kind: "model_not_found",
      status: 404,
      message: expect.stringContaining("gpt-6.1-sol"),
    });
  });

  test("sealed reasoning of another account is left out and the request repeated", async () => {
    const input: InputItem[] = [
      user("hi"),
      { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "gAAAAABforeign" },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "hello" }] },
      user("and now?"),
    ];
    const { posts, text } = await send({ input });
    expect(posts).toHaveLength(2);
    expect(text).toContain("response.completed");
  });

  test.each(["requests/responses-classic-gpt-5.5.json", "requests/responses-lite-gpt-6.1-sol.json"])(
    "a Codex body passes with its headers: %s",
    async (name) => {
      const captured = readFixtureJson(name) as { headers: Record<string, string>; body: ResponsesBody };
      const body = JSON.parse(
        JSON.stringify(captured.body)
          .replaceAll("<UUID>", "0199c7d0-0000-7000-8000-000000000001")
          .replace(/"parameters":"<elided[^"]*"/g, '"parameters":{"type":"object","properties":{}}')
          .replace(/"format":"<elided[^"]*"/g, '"format":{"type":"text"}'),
      ) as ResponsesBody;
      const using = harness();
      const options = sendOptions(captured.headers);
      const answer = await using.upstream.send(canonical(body, { native: true }), options);
      expect(await answer.response.text(10_000_000)).toContain("response.completed");
      const [post] = double.requestsTo("/backend-api/codex/responses");
      expect(post?.json).toEqual(body);
      expect(post?.headers).toMatchObject({
        "x-codex-window-id": captured.headers["x-codex-window-id"],
        "session-id": captured.headers["session-id"],
        originator: "codex_cli_rs",
      });
    },
  );

  test("a Codex body for a model that has the lite lane only is put into that lane, at once the next time", async () => {
    const using = harness();
    const native = () =>
      using.upstream.send(
        canonical({ model: "gpt-6.1-sol", stream: true, store: false, instructions: "i" }, { native: true }),
        sendOptions({ "x-codex-turn-metadata": "{}" }),
      );
    for (const count of [2, 3]) {
      expect((await native()).lane).toBe("lite");
      expect(double.requestsTo("/backend-api/codex/responses")).toHaveLength(count);
    }
  });

  test("with an API key the platform takes what the seat refuses", async () => {
    const using = harness({ mode: "api_key", apiKey: DEFAULT_API_KEY });
    const answer = await using.upstream.send(
      canonical({ model: "gpt-5.5", max_output_tokens: 5, temperature: 1, metadata: { a: "b" }, store: true }),
      sendOptions(),
    );
    expect(await answer.response.text(10_000_000)).toContain("response.completed");
    expect(answer).toMatchObject({ mode: "api_key", lane: "platform", maxOutputTokens: 5, dropped: [] });
  });
});

const text = fc.oneof(fc.string({ maxLength: 20 }), fc.constant("héllo 👋\u2028"), fc.constant(""));
const anyId = fc.oneof(fc.constantFrom("call_1", "call_2", "a".repeat(80)), fc.string({ minLength: 1, maxLength: 70 }));
const anyName = fc.oneof(
  fc.constantFrom("read", "mcp__x.y/z", "n".repeat(90)),
  fc.string({ minLength: 1, maxLength: 12 }),
);
const part = fc.oneof(
  text.map((value) => ({ type: "input_text" as const, text: value })),
  fc.constant({ type: "input_image" as const, image_url: IMAGE, detail: "high" }),
  fc.constant({ type: "input_file" as const, filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERg==" }),
);
const item = fc.oneof(
  fc.record({
    type: fc.constant("message" as const),
    id: fc.constantFrom("msg_1", undefined),
    role: fc.constantFrom("user" as const, "system" as const, "developer" as const),
    content: fc.oneof(text, fc.array(part, { maxLength: 3 })),
  }),
  fc.record({
    type: fc.constant("message" as const),
    role: fc.constant("assistant" as const),
    status: fc.constant("completed"),
    content: fc.oneof(
      text,
      fc.array(
        text.map((value) => ({ type: "output_text" as const, text: value, logprobs: [] })),
        { maxLength: 2 },
      ),
    ),
  }),
  fc.record({
    type: fc.constant("function_call" as const),
    id: fc.constant("fc_1"),
    call_id: anyId,
    name: anyName,
    arguments: fc.constant("{}"),
  }),
  fc.record({
    type: fc.constant("function_call_output" as const),
    call_id: anyId,
    output: fc.oneof(text, fc.array(part, { maxLength: 2 })),
    status: fc.constant("completed"),
  }),
  fc.record({ type: fc.constant("custom_tool_call" as const), call_id: anyId, name: anyName, input: text }),
  fc.record({ type: fc.constant("custom_tool_call_output" as const), call_id: anyId, output: text }),
  fc.record({ type: fc.constant("reasoning" as const), id: fc.constant("rs_1"), summary: fc.constant([]) }),
);
const schema = fc.constantFrom<Record<string, unknown>>(
  { type: "object", properties: { a: { type: "array" } }, $schema: "https://json-schema.org/draft/2020-12/schema" },
  { anyOf: [{ type: "object", properties: { b: { type: "string" } } }] },
  { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: false },
  { type: "object", properties: { a: { type: "string", enum: [] } }, required: true },
  {},
);
const tool: fc.Arbitrary<Tool> = fc.oneof(
  fc.record(
    {
      type: fc.constant("function" as const),
      name: anyName,
      description: fc.constantFrom(null, "d"),
      parameters: fc.option(schema),
      strict: fc.constantFrom(true, false, null),
      cache_control: fc.constant({ type: "ephemeral" }),
    },
    { requiredKeys: ["type", "name"] },
  ),
  fc.record({ type: fc.constant("custom" as const), name: anyName }),
  fc.constantFrom<Tool>({ type: "web_search" }, { type: "web_search_preview" }, { type: "mcp", server_label: "x" }),
);
const body = fc.record(
  {
    model: fc.constantFrom("gpt-5.5", "gpt-6-luna", "gpt-6-sol", "gpt-6.1-sol"),
    input: fc.array(item, { maxLength: 8 }).map((items) => [...items, user("go on")] as InputItem[]),
    instructions: fc.constantFrom("Be brief.", "", null),
    tools: fc.array(tool, { maxLength: 3 }),
    tool_choice: fc.oneof(
      fc.constantFrom("auto", "none", "required", { type: "function", name: "read" }, { type: "web_search" }),
      fc.constant({ type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "read" }] }),
    ),
    parallel_tool_calls: fc.constantFrom(true, false),
    reasoning: fc.record({
      effort: fc.constantFrom("none", "minimal", "low", "xhigh", "max", "ultra", null),
      summary: fc.constantFrom("auto", null),
      context: fc.constantFrom("all_turns", null),
    }),
    text: fc.record({
      verbosity: fc.constantFrom("low", null),
      format: schema.map((each) => ({
        type: "json_schema",
        name: "my schema",
        schema: { type: "object", ...each },
        strict: true,
      })),
    }),
    include: fc.constantFrom<string[]>([], ["web_search_call.action.sources", "message.output_text.logprobs"]),
    service_tier: fc.constantFrom("auto", "priority", "flex", "fast"),
    prompt_cache_key: fc.constantFrom("k".repeat(150), "short"),
    max_output_tokens: fc.constant(100),
    temperature: fc.constant(0.5),
    metadata: fc.constant({ a: "b" }),
    user: fc.constant("me"),
    truncation: fc.constantFrom("auto", "disabled"),
    store: fc.constantFrom(true, false),
    stream: fc.constantFrom(true, false),
    previous_response_id: fc.constant("resp_1"),
    stream_options: fc.constant({ include_obfuscation: false }),
  },
  { requiredKeys: ["model", "input"] },
);

test("any legal request maps to a body that the double accepts", { timeout: 60_000 }, async () => {
  const using = harness();
  // The lane that a model has only, and whether it takes a forced choice, are learnt once; no refusal is expected afterwards.
  const tool = { type: "function", name: "f", parameters: { type: "object", properties: {} }, strict: false } as const;
  for (const model of ["gpt-6.1-sol", "gpt-6-luna"]) {
    await send({ model, tools: [{ type: "web_search" }] }, using);
    await send({ model, tools: [tool], tool_choice: "required" }, using);
  }
  await fc.assert(
    fc.asyncProperty(body, async (value) => {
      double.reset();
      const answer = await using.upstream.send(canonical(value as ResponsesBody), sendOptions());
      answer.response.discard();
      const refusals = double.requestsTo("/backend-api/codex/responses").map((request) => request.refusal);
      expect(refusals).toEqual([undefined]);
    }),
    { numRuns: 300 },
  );
});

test("a forced choice that the lite lane refuses is sent again as structured output, reported, and remembered", async () => {
  const using = harness();
  const tools = ["f", "g"].map((name) => ({
    type: "function" as const,
    name,
    parameters: { type: "object", properties: {} },
    strict: false,
  }));
  const request = { model: "gpt-6-luna", tools, tool_choice: { type: "function", name: "g" } };
  const posts = () => double.requestsTo("/backend-api/codex/responses");
  double.reset();
  const first = await using.upstream.send(
    canonical({ ...request } as Partial<ResponsesBody> as ResponsesBody),
    sendOptions(),
  );
  first.response.discard();
  expect(posts().map((post) => post.json)).toMatchObject([
    { tool_choice: request.tool_choice },
    { text: { format: { type: "json_schema", name: "g" } } },
  ]);
  expect(first).toMatchObject({ forcedCall: "g", dropped: [{ name: "tool_choice", honoured: true }] });
  const second = await using.upstream.send(
    canonical({ ...request } as Partial<ResponsesBody> as ResponsesBody),
    sendOptions(),
  );
  second.response.discard();
  expect(posts()).toHaveLength(3);
});
