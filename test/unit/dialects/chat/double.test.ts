import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCollector } from "../../../../src/canonical/collect.ts";
import { readEvent } from "../../../../src/canonical/event.ts";
import { chatDialect } from "../../../../src/dialects/chat/index.ts";
import type { UpstreamFetch } from "../../../../src/platform.ts";
import { createSseDecoder } from "../../../../src/sse/decode.ts";
import { fromResponse } from "../../../../src/stream/byte-source.ts";
import { DEFAULT_ACCOUNT, mintToken, startUpstream, type Upstream } from "../../../upstream/index.ts";
import { CHATGPT, makeUpstream, sendOptions } from "../../upstream/support.ts";
import { assemble, comparable, context } from "./support.ts";

const realFetch: UpstreamFetch = async (url, request) =>
  fromResponse(await fetch(url, { ...request, redirect: "manual" } as RequestInit));

let double: Upstream;
let using: ReturnType<typeof makeUpstream>;
beforeAll(async () => {
  double = await startUpstream();
  using = makeUpstream(realFetch, {
    config: { chatgptBaseUrl: double.chatgptBaseUrl },
    credentials: { ...CHATGPT, accessToken: mintToken(), accountId: DEFAULT_ACCOUNT },
    live: true,
  });
});
afterAll(() => double.close());

/** Sends a Chat request to the strict double and gives its answer in both forms. */
async function ask(request: Record<string, unknown>) {
  const body = chatDialect.readRequest(request);
  const sent = double.requestsTo("/backend-api/codex/responses").length;
  const answer = await using.upstream.send(
    chatDialect.toCanonical(body, () => undefined),
    sendOptions(),
  );
  const collector = createCollector();
  const encoder = chatDialect.createEncoder(body, context());
  let streamed = "";
  const decoder = createSseDecoder((data) => {
    const event = readEvent(data);
    if (!event) return;
    streamed += encoder.push(event);
    collector.push(event);
  });
  decoder.push(new TextEncoder().encode(await answer.response.text(10_000_000)));
  decoder.end();
  const whole = chatDialect.fromCanonical([collector.finish()], body, context());
  const posts = double.requestsTo("/backend-api/codex/responses").slice(sent);
  const dropped = answer.dropped.map((field) => field.name);
  return { streamed, whole: whole as Parameters<typeof comparable>[0], posts, dropped };
}

const text = fc.string({ unit: "grapheme", maxLength: 8 });
const png =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const part = fc.oneof(
  fc.record({ type: fc.constant("text"), text }),
  fc.constant({ type: "image_url", image_url: { url: png, detail: "high" } }),
  fc.constant({ type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,QUJD" } }),
);
const texts = fc.array(fc.record({ type: fc.constant("text"), text }), { maxLength: 3 });
const callTurn = fc
  .tuple(
    fc.option(text),
    fc.uniqueArray(fc.tuple(fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 90 }), fc.boolean()), {
      minLength: 1,
      maxLength: 3,
      selector: ([id]) => id,
    }),
    fc.oneof(text, fc.constant(null), fc.array(part, { maxLength: 3 })),
  )
  .map(([content, calls, output]) => [
    {
      role: "assistant",
      content,
      tool_calls: calls.map(([id, custom]) =>
        custom
          ? { id, type: "custom", custom: { name: "free", input: "x" } }
          : { id, type: "function", function: { name: "a", arguments: "{}" } },
      ),
    },
    ...calls.map(([id]) => ({ role: "tool", tool_call_id: id, content: output })),
  ]);
const legacyTurn = fc.constant([
  { role: "assistant", content: null, function_call: { name: "a", arguments: "" } },
  { role: "function", name: "a", content: "done" },
]);
const turn = fc.oneof(
  fc.record({ role: fc.constantFrom("system", "developer"), content: fc.oneof(text, texts) }).map((it) => [it]),
  fc.record({ role: fc.constant("user"), content: fc.oneof(text, fc.array(part)), name: text }).map((it) => [it]),
  fc.record({ role: fc.constant("assistant"), content: fc.oneof(text, fc.constant(null), texts) }).map((it) => [it]),
  fc.constant([{ role: "assistant", content: [{ type: "refusal", refusal: "no" }] }]),
  callTurn,
  legacyTurn,
);

const parameters = fc.constantFrom<unknown>(
  undefined,
  {},
  { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: false },
  {
    $schema: "http://json-schema.org/draft-07/schema#",
    type: "object",
    properties: { a: { type: ["null", "string"] } },
  },
);
const tools = fc
  .record({ parameters, strict: fc.constantFrom(undefined, null, true, false), more: fc.boolean() })
  .map(({ parameters, strict, more }) => [
    { type: "function", function: { name: "a", description: "d", parameters, strict } },
    ...(more
      ? [
          { type: "function", function: { name: `mcp__server__${"long".repeat(20)}`, parameters } },
          { type: "custom", custom: { name: "free", format: { type: "text" } } },
          {
            type: "custom",
            custom: {
              name: "grammar",
              format: { type: "grammar", grammar: { syntax: "regex", definition: "[a-z]+" } },
            },
          },
        ]
      : []),
  ]);
const named = { type: "function", function: { name: "a" } };
const toolFields = fc.oneof(
  fc.constant({}),
  fc.record(
    {
      tools,
      tool_choice: fc.constantFrom<unknown>("none", "auto", "required", named, {
        type: "allowed_tools",
        allowed_tools: { mode: "auto", tools: [named] },
      }),
      parallel_tool_calls: fc.boolean(),
    },
    { requiredKeys: ["tools"] },
  ),
  fc.constant({ functions: [{ name: "a" }], function_call: { name: "a" } }),
);
const schema = { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: false };
const fields = fc.record(
  {
    reasoning_effort: fc.constantFrom("none", "minimal", "low", "medium", "high", "xhigh", "max", null),
    verbosity: fc.constantFrom("low", "medium", "high", null),
    response_format: fc.constantFrom(
      { type: "text" },
      { type: "json_object" },
      { type: "json_schema", json_schema: { name: "r", schema, strict: true } },
      { type: "json_schema", json_schema: { name: "r" } },
    ),
    service_tier: fc.constantFrom("auto", "default", "flex", "scale", "priority", "fast", null),
    max_tokens: fc.constant(50),
    max_completion_tokens: fc.constant(50),
    temperature: fc.constant(0.5),
    top_p: fc.constant(0.5),
    frequency_penalty: fc.constant(1),
    presence_penalty: fc.constant(1),
    logit_bias: fc.constant({ "5": 1 }),
    logprobs: fc.boolean(),
    top_logprobs: fc.constant(3),
    seed: fc.constant(1),
    stop: fc.constantFrom("END", ["a", "b"], null),
    n: fc.constantFrom(1, 2),
    user: fc.constant("u"),
    safety_identifier: fc.constant("s"),
    metadata: fc.constant({ a: "b" }),
    prompt_cache_key: fc.string({ unit: "grapheme-ascii", maxLength: 100 }),
    prompt_cache_retention: fc.constant("24h"),
    prompt_cache_options: fc.constant({ mode: "implicit" }),
    prediction: fc.constant({ type: "content", content: "x" }),
    modalities: fc.constant(["text"]),
    moderation: fc.constant({ model: "omni-moderation-latest" }),
    store: fc.boolean(),
    stream: fc.boolean(),
    stream_options: fc.constant({ include_usage: true }),
    web_search_options: fc.constant({
      search_context_size: "low",
      user_location: { type: "approximate", approximate: { city: "Rome", country: "IT" } },
    }),
  },
  { requiredKeys: [] },
);

describe("any legal request", () => {
  it.each(["gpt-5.5", "gpt-6-sol", "gpt-6.1-sol"])(
    "to %s is taken at once by the strict double, and its answer is the same whole and streamed",
    async (model) => {
      await fc.assert(
        fc.asyncProperty(fc.array(turn, { maxLength: 5 }), toolFields, fields, async (turns, withTools, rest) => {
          const messages = [...turns.flat(), { role: "user", content: "answer in json" }];
          const { streamed, whole, posts, dropped } = await ask({ ...rest, ...withTools, model, messages });
          // A model may lack the lane that its request needs; upstream then says so, once.
          const refusals = posts
            .map((post) => post.refusal)
            .filter((refusal) => !/^Model not found|requires `tool_choice` to be `auto`/.test(refusal ?? ""));
          expect(refusals).toEqual([undefined]);
          const own = new Set(["prompt_cache_breakpoint", "messages", ...Object.keys(rest), ...Object.keys(withTools)]);
          expect(dropped.map((name) => name.split(".")[0]).filter((name) => !own.has(String(name)))).toEqual([]);
          const told = assemble(streamed);
          const expected = comparable(whole);
          expect({ ...(told.message as object), finish: told.finish }).toEqual({
            ...(expected.message as object),
            finish: expected.finish,
          });
        }),
        { numRuns: 60 },
      );
    },
    30_000,
  );
});
