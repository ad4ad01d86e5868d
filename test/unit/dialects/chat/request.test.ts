import { describe, expect, it } from "vitest";
import { chatDialect } from "../../../../src/dialects/chat/index.ts";
import { chat, failureFrom, read, translate } from "./support.ts";

describe("readRequest", () => {
  const refused: [name: string, json: unknown, message: string, param: string | undefined][] = [
    ["no object", [], "request body must be a JSON object", undefined],
    ["no model", { messages: [] }, "model is required", "model"],
    ["empty model", chat({ model: "" }), "model is required", "model"],
    ["numeric model", chat({ model: 1 }), "model must be a string", "model"],
    ["no messages", { model: "m" }, "messages is required", "messages"],
    ["messages no array", chat({ messages: "hi" }), "messages must be an array", "messages"],
    ["empty messages", chat({ messages: [] }), "at least one user or assistant message is required", "messages"],
    [
      "system only",
      chat({ messages: [{ role: "system", content: "s" }] }),
      "at least one user or assistant message is required",
      "messages",
    ],
    ["message no object", chat({ messages: ["hi"] }), "messages[0] must be an object", "messages[0]"],
    [
      "unknown role",
      chat({ messages: [{ role: "robot", content: "" }] }),
      "messages[0].role must be one of system, developer, user, assistant, tool, function",
      "messages[0].role",
    ],
    ["temperature text", chat({ temperature: "1" }), "temperature must be a number", "temperature"],
    ["max_tokens fraction", chat({ max_tokens: 1.5 }), "max_tokens must be an integer", "max_tokens"],
    ["max_tokens zero", chat({ max_tokens: 0 }), "max_tokens must be at least 1", "max_tokens"],
    ["n zero", chat({ n: 0 }), "n must be between 1 and 16", "n"],
    ["n beyond the limit", chat({ n: 17 }), "n must be between 1 and 16", "n"],
    ["stream text", chat({ stream: "yes" }), "stream must be a boolean", "stream"],
    ["tools object", chat({ tools: {} }), "tools must be an array", "tools"],
    ["stop number", chat({ stop: 3 }), "stop must be a string or array", "stop"],
    ["tool_choice number", chat({ tool_choice: 3 }), "tool_choice must be a string or object", "tool_choice"],
    ["response_format text", chat({ response_format: "json" }), "response_format must be an object", "response_format"],
  ];
  it.each(refused)("refuses %s", (_, json, message, param) => {
    const error = failureFrom(() => chatDialect.readRequest(json));
    expect(error).toMatchObject({ kind: "invalid_request", status: 400, message, param });
  });

  it("takes null for absent and keeps unknown fields", () => {
    const body = chat({ temperature: null, stop: null, n: null, tools: null, mystery: 1 });
    expect(chatDialect.readRequest(body)).toBe(body);
  });

  it("tells a stream", () => {
    expect(
      [{}, { stream: false }, { stream: null }, { stream: true }].map((f) => chatDialect.isStream(read(f))),
    ).toEqual([false, false, false, true]);
  });
});

describe("toCanonical", () => {
  const body = (fields: Record<string, unknown>) => translate(fields).body;

  it("asks for encrypted reasoning and a summary, and nothing else, of a plain request", () => {
    expect(translate()).toEqual({
      body: {
        model: "gpt-x",
        input: [{ type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] }],
        reasoning: { summary: "auto" },
        include: ["reasoning.encrypted_content"],
      },
      stop: [],
      copies: 1,
      dropped: [],
      clientNames: {},
    });
  });

  const controls: [fields: Record<string, unknown>, reasoning: unknown][] = [
    [{ reasoning_effort: "high" }, { effort: "high", summary: "auto" }],
    [{ model_reasoning_effort: "low" }, { effort: "low", summary: "auto" }],
    [{ reasoning: { effort: "medium" } }, { effort: "medium", summary: "auto" }],
    [
      { reasoning_effort: "high", model_reasoning_effort: "low", reasoning: { effort: "medium" } },
      { effort: "high", summary: "auto" },
    ],
    [{ reasoning_effort: "none" }, { effort: "none" }],
    [{ reasoning_effort: "high", reasoning: { summary: null } }, { effort: "high" }],
    [{ reasoning: { summary: "detailed", context: "all_turns" } }, { context: "all_turns", summary: "detailed" }],
  ];
  it.each(controls)("reads reasoning controls %j", (fields, reasoning) => {
    expect(body(fields).reasoning).toEqual(reasoning);
  });

  const texts: [fields: Record<string, unknown>, text: unknown][] = [
    [{ verbosity: "low" }, { verbosity: "low" }],
    [{ text_verbosity: "low" }, { verbosity: "low" }],
    [{ model_verbosity: "low" }, { verbosity: "low" }],
    [{ text: { verbosity: "high" } }, { verbosity: "high" }],
    [{ verbosity: "low", text: { verbosity: "high" } }, { verbosity: "low" }],
    [{ response_format: { type: "text" } }, undefined],
    [{ response_format: { type: "json_object" } }, { format: { type: "json_object" } }],
    [
      {
        response_format: { type: "json_schema", json_schema: { name: "r", schema: { type: "object" }, strict: true } },
      },
      { format: { type: "json_schema", name: "r", schema: { type: "object" }, strict: true } },
    ],
    [
      { response_format: { type: "json_schema", json_schema: { name: "r", description: "d" } }, verbosity: "low" },
      {
        verbosity: "low",
        format: { type: "json_schema", name: "r", description: "d", schema: { type: "object" }, strict: false },
      },
    ],
  ];
  it.each(texts)("reads text controls %j", (fields, text) => {
    expect(body(fields).text).toEqual(text);
  });

  it("carries what the Responses API has under the same name", () => {
    const fields = {
      parallel_tool_calls: false,
      service_tier: "priority",
      prompt_cache_key: "k",
      prompt_cache_retention: "24h",
      temperature: 0,
      top_p: 0.5,
      top_logprobs: 2,
      metadata: { a: "b" },
      safety_identifier: "s",
      user: "u",
    };
    expect(body(fields)).toMatchObject(fields);
    expect(translate(fields).dropped).toEqual([]);
  });

  it("carries the token limit under its Responses name and remembers the client's", () => {
    expect(translate({ max_tokens: 5 })).toMatchObject({
      body: { max_output_tokens: 5 },
      clientNames: { max_output_tokens: "max_tokens" },
    });
    expect(translate({ max_tokens: 5, max_completion_tokens: 7 })).toMatchObject({
      body: { max_output_tokens: 7 },
      clientNames: { max_output_tokens: "max_completion_tokens" },
    });
  });

  it("names the client's own spelling of a control", () => {
    const { clientNames } = translate({
      reasoning_effort: "low",
      text_verbosity: "low",
      response_format: { type: "json_object" },
      web_search_options: {},
      function_call: "auto",
    });
    expect(clientNames).toEqual({
      "reasoning.effort": "reasoning_effort",
      "text.verbosity": "text_verbosity",
      "text.format": "response_format",
      "text.format.strict": "response_format.json_schema.strict",
      "tools.web_search": "web_search_options",
      tool_choice: "function_call",
    });
  });

  const stops: [stop: unknown, stops: string[]][] = [
    ["END", ["END"]],
    [
      ["a", "", "b"],
      ["a", "b"],
    ],
    [null, []],
  ];
  it.each(stops)("reads stop %j", (stop, expected) => {
    expect(translate({ stop }).stop).toEqual(expected);
  });

  it("reports what nobody will do, and only when it asks for something", () => {
    const asking = {
      seed: 1,
      logit_bias: { 5: -100 },
      frequency_penalty: 0.5,
      presence_penalty: -1,
      logprobs: true,
      store: true,
      modalities: ["text", "audio"],
      audio: { voice: "alloy", format: "mp3" },
      prediction: { type: "content", content: "x" },
      stream_options: { include_obfuscation: true },
      mystery: 1,
    };
    expect([...translate(asking).dropped].sort()).toEqual(Object.keys(asking).sort());
    const idle = {
      seed: null,
      logit_bias: {},
      frequency_penalty: 0,
      presence_penalty: 0,
      logprobs: false,
      store: false,
      modalities: ["text"],
      stream_options: { include_usage: true, include_obfuscation: false },
    };
    expect(translate(idle).dropped).toEqual([]);
  });

  it("does not take a field named like an object's own method for a known one", () => {
    expect(translate({ constructor: 1, toString: 2 }).dropped).toEqual(["constructor", "toString"]);
  });

  it("asks for as many copies as the client", () => {
    expect(translate({ n: 3 }).copies).toBe(3);
  });

  const sessions: [fields: Record<string, unknown>, headers: Record<string, string>, key: string | undefined][] = [
    [{}, {}, undefined],
    [{ user: "u" }, {}, "u"],
    [{ user: "u", prompt_cache_key: "k" }, {}, "k"],
    [{ prompt_cache_key: "k" }, { "x-session-affinity": "ses" }, "ses"],
    [{}, { "session-id": "b", "x-session-id": "a" }, "a"],
    [{}, { "x-client-session-id": "c" }, "c"],
  ];
  it.each(sessions)("takes the session of %j with %j", (fields, headers, key) => {
    expect(translate(fields, headers).sessionKey).toBe(key);
  });

  const wrong: [fields: Record<string, unknown>, param: string][] = [
    [{ response_format: { type: "xml" } }, "response_format.type"],
    [{ response_format: { type: "json_schema" } }, "response_format.json_schema"],
    [{ response_format: { type: "json_schema", json_schema: {} } }, "response_format.json_schema.name"],
    [{ stop: ["a", 1] }, "stop[1]"],
    [{ reasoning: { effort: 3 } }, "reasoning.effort"],
  ];
  it.each(wrong)("refuses %j", (fields, param) => {
    expect(failureFrom(() => translate(fields))).toMatchObject({ kind: "invalid_request", param });
  });

  it("passes large contents on by reference", () => {
    const schema = { type: "object", properties: { a: { type: "string" } } };
    const tools = [{ type: "function", function: { name: "f", parameters: schema } }];
    expect(body({ tools }).tools?.[0]?.parameters).toBe(schema);
  });
});
