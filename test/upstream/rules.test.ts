import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sealContent } from "./encrypted-content.ts";
import { classicBody, LITE, liteBody, postSeat, userMessage } from "./helpers.ts";
import { DEFAULT_ACCOUNT, startUpstream, type Upstream } from "./index.ts";
import type { JsonObject } from "./json.ts";

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());

type Judgement = { status: number; text: string };

async function judge(body: object, headers: Record<string, string | undefined> = {}): Promise<Judgement> {
  const response = await postSeat(upstream, body, headers);
  return { status: response.status, text: await response.text() };
}

const object = { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: false };
const tool = (fields: JsonObject = {}): JsonObject => ({ type: "function", name: "f", parameters: object, ...fields });
const tools = (...list: JsonObject[]) => classicBody({ tools: list });
const input = (...items: unknown[]) => classicBody({ input: items });
const user = (...content: unknown[]) => input({ role: "user", content });
const schema = (value: unknown, strict = true) =>
  classicBody({ text: { format: { type: "json_schema", name: "s", strict, schema: value } } });
const call = { type: "function_call", call_id: "c1", name: "f", arguments: "{}" };
const output = { type: "function_call_output", call_id: "c1", output: "done" };
const customCall = { type: "custom_tool_call", call_id: "c2", name: "g", input: "x" };
const customOutput = { type: "custom_tool_call_output", call_id: "c2", output: [{ type: "input_text", text: "y" }] };
const blob = sealContent(DEFAULT_ACCOUNT, "gpt-5.5", "rs_1");
const png = "data:image/png;base64,AAAA";
const pdf = "data:application/pdf;base64,AAAA";
const long = "x".repeat(65);

/** Name, a body that passes, a body that is refused, what the refusal says. */
const CLASSIC: [string, JsonObject, JsonObject, string][] = [
  ["store", classicBody(), classicBody({ store: true }), "Store must be set to false"],
  ["store present", classicBody(), classicBody({ store: undefined }), "Store must be set to false"],
  ["stream", classicBody(), classicBody({ stream: false }), "Stream must be set to true"],
  ["input", classicBody(), classicBody({ input: "hi" }), "Input must be a list"],
  ["input not empty", classicBody(), input(), "empty array"],
  ["instructions", classicBody(), classicBody({ instructions: undefined }), "Instructions are required"],
  ["instructions not empty", classicBody(), classicBody({ instructions: "" }), "Instructions are required"],
  [
    "system role",
    input({ role: "developer", content: "x" }),
    input({ role: "system", content: "x" }),
    "System messages are not allowed",
  ],
  ["role", input({ role: "assistant", content: "x" }), input({ role: "tool", content: "x" }), "Invalid value: 'tool'"],
  [
    "model",
    classicBody(),
    classicBody({ model: "gpt-4o" }),
    "The 'gpt-4o' model is not supported when using Codex with a ChatGPT account.",
  ],
  [
    "tier",
    classicBody({ service_tier: "priority" }),
    classicBody({ service_tier: "flex" }),
    "Unsupported service_tier: flex",
  ],
  [
    "effort",
    classicBody({ reasoning: { effort: "xhigh" } }),
    classicBody({ reasoning: { effort: "minimal" } }),
    "Unsupported value: 'minimal' is not supported with the 'gpt-5.5' model",
  ],
  [
    "effort ultra",
    classicBody({ model: "gpt-6-sol", reasoning: { effort: "max" } }),
    classicBody({ model: "gpt-6-sol", reasoning: { effort: "ultra" } }),
    "Unsupported value: 'ultra'",
  ],
  [
    "effort of the model",
    classicBody({ reasoning: { effort: "none" } }),
    classicBody({ reasoning: { effort: "max" } }),
    "Unsupported value: 'max'",
  ],
  [
    "summary",
    classicBody({ reasoning: { summary: "auto" } }),
    classicBody({ reasoning: { summary: "none" } }),
    "reasoning.summary",
  ],
  [
    "reasoning fields",
    classicBody({ reasoning: {} }),
    classicBody({ reasoning: { budget: 1 } }),
    "Unknown parameter: 'reasoning.budget'",
  ],
  [
    "verbosity",
    classicBody({ text: { verbosity: "low" } }),
    classicBody({ text: { verbosity: "max" } }),
    "text.verbosity",
  ],
  [
    "include",
    classicBody({ include: ["reasoning.encrypted_content"] }),
    classicBody({ include: ["nothing"] }),
    "include[0]",
  ],
  [
    "cache key",
    classicBody({ prompt_cache_key: "k" }),
    classicBody({ prompt_cache_key: long }),
    "string_above_max_length",
  ],
  [
    "client metadata",
    classicBody({ client_metadata: { a: "b" } }),
    classicBody({ client_metadata: { a: 1 } }),
    "client_metadata.a",
  ],
  [
    "stream options",
    classicBody({ stream_options: { include_obfuscation: false } }),
    classicBody({ stream_options: { include_usage: true } }),
    "Unsupported parameter: stream_options.include_usage",
  ],
  [
    "json_object",
    classicBody({ input: [userMessage("as JSON")], text: { format: { type: "json_object" } } }),
    classicBody({ text: { format: { type: "json_object" } } }),
    "must contain the word 'json'",
  ],
  [
    "format",
    classicBody({ text: { format: { type: "text" } } }),
    classicBody({ text: { format: { type: "xml" } } }),
    "text.format.type",
  ],
  [
    "schema name",
    schema(object),
    classicBody({ text: { format: { type: "json_schema", name: "a b", schema: object } } }),
    "does not match pattern",
  ],
  [
    "strict schema closed",
    schema(object),
    schema({ ...object, additionalProperties: undefined }),
    "'additionalProperties' is required to be supplied and to be false",
  ],
  ["strict schema required", schema({ type: "object" }, false), schema({ ...object, required: [] }), "Missing 'a'"],
  [
    "strict nested",
    schema(object),
    schema({ ...object, properties: { a: { type: "object", properties: {} } } }),
    "In context=('properties', 'a')",
  ],
  [
    "strict keywords",
    schema({ ...object, properties: { a: { anyOf: [{ type: "string" }, { type: "null" }] } } }),
    schema({ ...object, properties: { a: { oneOf: [{ type: "string" }] } } }),
    "'oneOf' is not permitted",
  ],
  ["tool type", tools({ type: "web_search" }), tools({ type: "file_search" }), "Unsupported tool type: file_search"],
  [
    "tool preview",
    tools({ type: "web_search" }),
    tools({ type: "web_search_preview" }),
    "Unsupported tool type: web_search_preview",
  ],
  ["tool name", tools(tool({ name: "a-b_1" })), tools(tool({ name: "a.b" })), "does not match pattern"],
  ["tool name length", tools(tool({ name: long.slice(1) })), tools(tool({ name: long })), "string_above_max_length"],
  ["tool names differ", tools(tool(), tool({ name: "g" })), tools(tool(), tool()), "unique"],
  ["tool fields", tools(tool()), tools(tool({ cache_control: {} })), "Unknown parameter: 'tools[0].cache_control'"],
  [
    "tool schema type",
    tools(tool()),
    tools(tool({ parameters: { type: "string" } })),
    "schema must be a JSON Schema of 'type: \\\"object\\\"'",
  ],
  [
    "tool schema properties",
    tools(tool({ strict: false, parameters: { type: "object", properties: {} } })),
    tools(tool({ strict: false, parameters: { type: "object" } })),
    "object schema missing properties",
  ],
  [
    "tool schema items",
    tools(tool()),
    tools(tool({ strict: false, parameters: { type: "object", properties: { a: { type: "array" } } } })),
    "array schema missing items",
  ],
  [
    "tool schema top level",
    tools(tool()),
    tools(tool({ strict: false, parameters: { ...object, anyOf: [] } })),
    "at the top level",
  ],
  [
    "tool strict by default",
    tools(tool({ strict: false, parameters: { ...object, required: [] } })),
    tools(tool({ parameters: { ...object, required: [] } })),
    "Missing 'a'",
  ],
  [
    "search filters",
    tools({ type: "web_search", filters: { allowed_domains: ["a.b"] } }),
    tools({ type: "web_search", filters: { blocked_domains: ["a.b"] } }),
    "Unknown parameter: 'tools[0].filters.blocked_domains'",
  ],
  [
    "search location",
    tools({ type: "web_search", user_location: { type: "approximate", city: "Rome" } }),
    tools({ type: "web_search", user_location: { city: "Rome" } }),
    "tools[0].user_location.type",
  ],
  [
    "search size",
    tools({ type: "web_search", search_context_size: "low" }),
    tools({ type: "web_search", search_context_size: "max" }),
    "tools[0].search_context_size",
  ],
  [
    "tier default",
    classicBody({ service_tier: "priority" }),
    classicBody({ service_tier: "default" }),
    "Unsupported service_tier: default",
  ],
  [
    "custom format",
    tools({ type: "custom", name: "g", format: { type: "grammar", syntax: "lark", definition: "start: /a/" } }),
    tools({ type: "custom", name: "g", format: { type: "grammar", syntax: "peg", definition: "" } }),
    "format.syntax",
  ],
  [
    "tool choice",
    { ...tools(tool()), tool_choice: { type: "function", name: "f" } },
    { ...tools(tool()), tool_choice: { type: "function", name: "g" } },
    "Tool choice 'g' not found in 'tools' parameter",
  ],
  [
    "tool choice form",
    { ...tools(tool()), tool_choice: "required" },
    { ...tools(tool()), tool_choice: { type: "function", function: { name: "f" } } },
    "tool_choice.name",
  ],
  [
    "required choice",
    { ...tools(tool()), tool_choice: "required" },
    classicBody({ tool_choice: "required" }),
    "must be specified with 'tools'",
  ],
  [
    "allowed tools",
    {
      ...tools(tool()),
      tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "f" }] },
    },
    {
      ...tools(tool()),
      tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "z" }] },
    },
    "'z' not found",
  ],
  ["item type", input(call, output), input({ type: "tool_result" }), "Invalid value: 'tool_result'"],
  [
    "item fields",
    user({ type: "input_text", text: "x" }),
    input({ ...userMessage("x"), cache_control: {} }),
    "Unknown parameter: 'input[0].cache_control'",
  ],
  [
    "part fields",
    user({ type: "input_text", text: "x" }),
    user({ type: "input_text", text: "x", cache_control: {} }),
    "Unknown parameter: 'input[0].content[0].cache_control'",
  ],
  [
    "namespace",
    input(call, output),
    input({ ...call, namespace: "n" }, output),
    "Unknown parameter: 'input[0].namespace'",
  ],
  ["call answered", input(call, output), input(call, userMessage("x")), "No tool output found for function call c1."],
  [
    "output has a call",
    input(call, output),
    input(userMessage("x"), output),
    "No tool call found for function call output with call_id c1.",
  ],
  ["output after its call", input(call, output), input(output, call), "No tool call found"],
  ["one output a call", input(call, output), input(call, output, output), "No tool call found"],
  [
    "custom call answered",
    input(customCall, customOutput),
    input(customCall),
    "No tool output found for custom tool call c2.",
  ],
  [
    "kinds are not mixed",
    input(customCall, customOutput),
    input(customCall, { ...customOutput, type: "function_call_output" }),
    "No tool call found",
  ],
  [
    "call id length",
    input(call, output),
    input({ ...call, call_id: long }, { ...output, call_id: long }),
    "string_above_max_length",
  ],
  ["call name", input(call, output), input({ ...call, name: "a b" }, output), "does not match pattern"],
  [
    "arguments",
    input(call, output),
    input({ ...call, arguments: {} }, output),
    "Invalid type for 'input[0].arguments'",
  ],
  [
    "call id present",
    input(call, output),
    input({ ...call, call_id: undefined }, output),
    "Missing required parameter: 'input[0].call_id'",
  ],
  [
    "output form",
    input(call, output),
    input(call, { ...output, output: { ok: true } }),
    "Invalid type for 'input[1].output'",
  ],
  [
    "id prefix",
    input({ ...call, id: "fc_1" }, output),
    input({ ...call, id: "call_1" }, output),
    "Expected an ID that begins with 'fc'",
  ],
  [
    "message id",
    input(userMessage("x")),
    input({ ...userMessage("x"), id: "msg_1" }),
    "Item with id 'msg_1' not found",
  ],
  [
    "reasoning id",
    input({ type: "reasoning", summary: [], encrypted_content: blob }, userMessage("x")),
    input({ type: "reasoning", id: "rs_9", summary: [], encrypted_content: blob }, userMessage("x")),
    "Item with id 'rs_9' not found",
  ],
  [
    "item reference",
    input(userMessage("x")),
    input({ type: "item_reference", id: "msg_1" }),
    "Item with id 'msg_1' not found",
  ],
  [
    "encrypted content",
    input({ type: "reasoning", summary: [], encrypted_content: blob }, userMessage("x")),
    input({ type: "reasoning", summary: [], encrypted_content: "gAAAAAB" }, userMessage("x")),
    "invalid_encrypted_content",
  ],
  [
    "encrypted content present",
    input({ type: "reasoning", summary: [], encrypted_content: blob }, userMessage("x")),
    input({ type: "reasoning", summary: [] }, userMessage("x")),
    "Missing required parameter",
  ],
  ["content not empty", input(userMessage("x")), user(), "empty array"],
  [
    "user parts",
    user({ type: "input_text", text: "x" }),
    user({ type: "output_text", text: "x" }),
    "Invalid value: 'output_text'",
  ],
  [
    "assistant parts",
    input({ role: "assistant", content: [{ type: "output_text", text: "x" }] }),
    input({ role: "assistant", content: [{ type: "input_text", text: "x" }] }),
    "Invalid value: 'input_text'",
  ],
  [
    "anthropic parts",
    user({ type: "input_text", text: "x" }),
    user({ type: "text", text: "x" }),
    "Invalid value: 'text'",
  ],
  [
    "text",
    user({ type: "input_text", text: "x" }),
    user({ type: "input_text" }),
    "Missing required parameter: 'input[0].content[0].text'",
  ],
  [
    "image url",
    user({ type: "input_image", image_url: "https://x.test/a.png" }),
    user({ type: "input_image", image_url: "file:///a.png" }),
    "Expected a valid URL",
  ],
  [
    "image url form",
    user({ type: "input_image", image_url: png }),
    user({ type: "input_image", image_url: { url: png } }),
    "Invalid type",
  ],
  [
    "image kind",
    user({ type: "input_image", image_url: png, detail: "original" }),
    user({ type: "input_image", image_url: "data:image/bmp;base64,AAAA" }),
    "does not represent a valid image",
  ],
  [
    "image bytes",
    user({ type: "input_image", image_url: png }),
    user({ type: "input_image", image_url: "data:image/png;base64,A*" }),
    "invalid_base64",
  ],
  [
    "file data",
    user({ type: "input_file", filename: "a.pdf", file_data: pdf }),
    user({ type: "input_file", filename: "a.pdf", file_data: "AAAA" }),
    "without the 'data:' prefix",
  ],
  [
    "file name",
    user({ type: "input_file", file_url: "https://x.test/a.pdf" }),
    user({ type: "input_file", file_data: pdf }),
    "filename",
  ],
  [
    "status",
    input({ ...call, status: "completed" }, output),
    input({ ...call, status: "done" }, output),
    "input[0].status",
  ],
  [
    "lite items",
    classicBody(),
    input({ type: "additional_tools", role: "developer", tools: [] }, userMessage("x")),
    "only supported with Responses Lite",
  ],
];

describe("classic lane", () => {
  test.each(CLASSIC)("%s", async (_name, passing, failing, words) => {
    expect(await judge(passing)).toMatchObject({ status: 200 });
    const refused = await judge(failing);
    expect(refused.text).toContain(words);
    expect(refused.status).toBe(words.startsWith("Item with id") ? 404 : 400);
    expect(upstream.requests.at(-1)?.refusal).toBeDefined();
  });

  test.each([
    "max_output_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "top_logprobs",
    "presence_penalty",
    "frequency_penalty",
    "stop",
    "n",
    "seed",
    "logit_bias",
    "metadata",
    "user",
    "safety_identifier",
    "prompt_cache_retention",
    "prompt_cache_options",
    "truncation",
    "context_management",
    "previous_response_id",
    "background",
    "max_tool_calls",
    "prompt",
    "conversation",
    "moderation",
    "invented",
  ])("%s is an unsupported parameter", async (name) => {
    expect(await judge(classicBody({ [name]: 1 }))).toEqual({
      status: 400,
      text: `{"detail":"Unsupported parameter: ${name}"}`,
    });
  });

  test("one parameter is named at a time, in the body's order", async () => {
    expect((await judge(classicBody({ top_p: 1, temperature: 1 }))).text).toContain("top_p");
  });

  test("a Codex client's own body may lack instructions and name its items", async () => {
    const items = [
      { role: "developer", content: "Be brief." },
      { ...userMessage("x"), id: "msg_1" },
    ];
    const body = classicBody({ instructions: undefined, input: items });
    expect((await judge(body)).status).toBe(400);
    expect((await judge(body, { "x-codex-turn-metadata": "{}" })).status).toBe(200);
  });

  test("encrypted content is bound to the account and the model", async () => {
    const replay = (encrypted_content: string) =>
      input({ type: "reasoning", summary: [], encrypted_content }, userMessage("x"));
    expect((await judge(replay(sealContent("another", "gpt-5.5", "rs_1")))).text).toContain(
      "invalid_encrypted_content",
    );
    expect((await judge(replay(sealContent(DEFAULT_ACCOUNT, "gpt-6-sol", "rs_1")))).text).toContain(
      "invalid_encrypted_content",
    );
  });
});

const head = (...list: JsonObject[]): JsonObject => ({ type: "additional_tools", role: "developer", tools: list });
const lite = (...items: JsonObject[]) => liteBody({ input: items });

const LITE_RULES: [string, JsonObject, JsonObject, string][] = [
  ["context", liteBody(), liteBody({ reasoning: {} }), "requires `reasoning.context` to be `all_turns`"],
  [
    "parallel calls",
    liteBody(),
    liteBody({ parallel_tool_calls: undefined }),
    "requires `parallel_tool_calls` to be false",
  ],
  [
    "top-level tools",
    lite(head(tool()), userMessage("x")),
    liteBody({ tools: [tool()] }),
    "does not support top-level `tools`",
  ],
  ["instructions", liteBody({ instructions: "" }), liteBody({ instructions: "x" }), "does not support `instructions`"],
  [
    "tools come first",
    lite(head(tool()), userMessage("x")),
    lite(userMessage("x"), head(tool())),
    "must be the first input item",
  ],
  [
    "tools' role",
    lite(head(), userMessage("x")),
    lite({ ...head(), role: "user" }, userMessage("x")),
    "must have the role `developer`",
  ],
  [
    "hosted tools",
    lite(head({ type: "custom", name: "g" }), userMessage("x")),
    lite(head({ type: "web_search" }), userMessage("x")),
    "only supports function tools, custom tools, and client-executed tool search",
  ],
  [
    "tool search",
    lite(head({ type: "tool_search", execution: "client" }), userMessage("x")),
    lite(head({ type: "tool_search" }), userMessage("x")),
    "only supports function tools",
  ],
  [
    "tool schemas",
    lite(head(tool()), userMessage("x")),
    lite(head(tool({ parameters: {} })), userMessage("x")),
    "input[0].tools[0]",
  ],
  [
    "tool choice",
    liteBody({ tool_choice: "auto" }),
    liteBody({ input: [head(tool()), userMessage("x")], tool_choice: "required" }),
    "requires `tool_choice` to be `auto`",
  ],
  [
    "image detail",
    lite({ role: "user", content: [{ type: "input_image", image_url: png }] }),
    lite({ role: "user", content: [{ type: "input_image", image_url: png, detail: "low" }] }),
    "does not support image `detail`",
  ],
  ["store", liteBody(), liteBody({ store: true }), "Store must be set to false"],
];

describe("lite lane", () => {
  test.each(LITE_RULES)("%s", async (_name, passing, failing, words) => {
    expect(await judge(passing, LITE)).toMatchObject({ status: 200 });
    const refused = await judge(failing, LITE);
    expect(refused.text).toContain(words);
    expect(refused.status).toBe(400);
  });

  test.each(["gpt-6-luna", "gpt-5.6-luna", "gpt-6.1-sol"])("%s is not found without the header", async (model) => {
    const refused = await judge(classicBody({ model }));
    expect(refused.status).toBe(404);
    expect(refused.text).toContain(`Model not found ${model}`);
    expect((await judge(liteBody({ model }), LITE)).status).toBe(200);
  });

  test("a lite model that has a full lane takes classic bodies; gpt-5.5 takes no lite ones", async () => {
    expect((await judge(classicBody({ model: "gpt-6-sol" }))).status).toBe(200);
    expect((await judge(liteBody({ model: "gpt-5.5" }), LITE)).text).toContain("does not support Responses Lite");
  });
});
