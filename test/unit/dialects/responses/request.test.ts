import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { responsesDialect } from "../../../../src/dialects/responses/index.ts";
import { bodyOf, headers, noHeaders } from "./support.ts";

const canonical = (fields: Record<string, unknown>, header = noHeaders as (name: string) => string | undefined) =>
  responsesDialect.toCanonical(bodyOf(fields), header);
const inputOf = (input: unknown) => canonical({ input }).body.input;
const toolOf = (tool: unknown) => canonical({ tools: [tool] }).body.tools?.[0];
const refusal = (json: unknown) => {
  try {
    responsesDialect.readRequest(json);
  } catch (error) {
    return error as { message: string; param?: string; status: number };
  }
  throw new Error("accepted");
};

describe("readRequest", () => {
  const good = { model: "m", input: "hi" };
  it.each([
    [[], "request body must be a JSON object", undefined],
    [{ input: "hi" }, "model is required", "model"],
    [{ model: "m" }, "input is required", "input"],
    [{ model: "m", input: 7 }, "a string or an array", "input"],
    [{ model: "m", input: [7] }, "an object", "input[0]"],
    [{ model: "m", input: [{ role: "robot", content: "" }] }, "one of user", "input[0].role"],
    [{ model: "m", input: [{ role: "user", content: 1 }] }, "array of parts", "input[0].content"],
    [{ model: "m", input: [{ role: "user", content: ["x"] }] }, "`type`", "input[0].content[0]"],
    [{ ...good, stream: "yes" }, "a boolean", "stream"],
    [{ ...good, tools: [{ name: "x" }] }, "`type`", "tools[0]"],
    [{ ...good, include: [1] }, "a string", "include[0]"],
    [{ ...good, reasoning: "high" }, "an object", "reasoning"],
    [{ ...good, background: true }, "background", "background"],
  ])("refuses %j", (json, message, param) => {
    const error = refusal(json);
    expect(error).toMatchObject({ status: 400, param });
    expect(error.message).toContain(message);
  });

  it.each([
    { ...good, stream: null, store: null, background: false, instructions: null },
    { model: "m", previous_response_id: "resp_1" },
    { model: "m", input: [{ role: "assistant", content: null }] },
    { model: "m", input: [{ id: "msg_1" }, { type: "item_reference", id: "rs_1" }] },
    { ...good, whatever: { comes: 1 } },
  ])("accepts %j", (json) => {
    expect(responsesDialect.readRequest(json)).toMatchObject({ model: "m" });
  });
});

describe("input", () => {
  it("wraps a string", () => {
    expect(inputOf("hi")).toEqual([{ type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] }]);
  });

  it.each([
    ["a message without a type", { role: "user", content: "a" }, { type: "message", role: "user", content: "a" }],
    [
      "system, which becomes developer in place",
      { role: "system", content: "be brief" },
      { type: "message", role: "developer", content: "be brief" },
    ],
    [
      "assistant text given as a string",
      { role: "assistant", content: "yes" },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "yes" }] },
    ],
    [
      "an output message sent back",
      {
        type: "message",
        id: "msg_1",
        status: "completed",
        role: "assistant",
        phase: "final_answer",
        content: [{ type: "output_text", text: "yes", annotations: [], parsed: null }],
      },
      {
        type: "message",
        role: "assistant",
        phase: "final_answer",
        content: [{ type: "output_text", text: "yes", annotations: [] }],
      },
    ],
    [
      "a function call",
      {
        type: "function_call",
        id: "fc_1",
        status: "completed",
        call_id: "c",
        name: "f",
        arguments: "{}",
        parsed_arguments: null,
      },
      { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
    ],
    [
      "a function's output with parts",
      { type: "function_call_output", id: "fco_1", call_id: "c", output: [{ type: "input_text", text: "ok" }] },
      { type: "function_call_output", call_id: "c", output: [{ type: "input_text", text: "ok" }] },
    ],
    [
      "reasoning",
      { type: "reasoning", id: "rs_1", status: null, summary: [], content: null, encrypted_content: "gA" },
      { type: "reasoning", summary: [], encrypted_content: "gA" },
    ],
    [
      "a search call",
      { type: "web_search_call", id: "ws_1", status: "completed", action: { type: "search", query: "q" } },
      { type: "web_search_call", status: "completed", action: { type: "search", query: "q" } },
    ],
    [
      "an item whose id is its link",
      { type: "local_shell_call_output", id: "call_9", output: "x" },
      { type: "local_shell_call_output", id: "call_9", output: "x" },
    ],
  ])("maps %s", (_name, item, expected) => {
    expect(inputOf([item])).toEqual([expected]);
  });

  it("leaves out what says nothing, and keeps the order of the rest", () => {
    const items = inputOf([
      { role: "user", content: "1" },
      { role: "assistant", content: "" },
      { role: "assistant", content: null },
      { type: "reasoning", id: "rs_1", summary: [] },
      { role: "system", content: "2" },
      { role: "user", content: "3" },
    ]);
    expect(items.map((item) => item.content)).toEqual(["1", "2", "3"]);
  });

  it("does not copy the content of messages", () => {
    const content = [{ type: "input_text", text: "big" }];
    expect(inputOf([{ role: "user", content }])[0]?.content).toBe(content);
  });
});

describe("tools", () => {
  it.each([
    [
      { type: "web_search_preview", search_context_size: "low" },
      { type: "web_search", search_context_size: "low" },
    ],
    [{ type: "web_search_preview_2025_03_11" }, { type: "web_search" }],
    [{ type: "web_search_2025_08_26" }, { type: "web_search" }],
  ])("%j is the plain search", (given, expected) => {
    expect(toolOf(given)).toEqual(expected);
  });

  it.each([
    { type: "function", name: "f", parameters: { type: "object" }, strict: null },
    { type: "custom", name: "c", format: { type: "text" } },
    { type: "namespace", name: "n", tools: [] },
    { type: "web_search", filters: { allowed_domains: ["a.test"] } },
    { type: "shell", x: 1 },
  ])("%j goes on by reference", (given) => {
    expect(toolOf(given)).toBe(given);
  });

  it.each([
    ["auto", "auto"],
    [
      { type: "function", name: "f" },
      { type: "function", name: "f" },
    ],
    [{ type: "web_search_preview" }, { type: "web_search" }],
    [
      { type: "allowed_tools", mode: "auto", tools: [{ type: "web_search_preview" }, { type: "function", name: "f" }] },
      { type: "allowed_tools", mode: "auto", tools: [{ type: "web_search" }, { type: "function", name: "f" }] },
    ],
  ])("tool_choice %j", (choice, expected) => {
    expect(canonical({ tool_choice: choice }).body.tool_choice).toEqual(expected);
  });
});

describe("controls", () => {
  it.each([
    [{ reasoning_effort: "high" }, { effort: "high" }],
    [{ model_reasoning_effort: "low" }, { effort: "low" }],
    [
      { reasoning: { effort: "none", summary: "auto" }, reasoning_effort: "high" },
      { effort: "none", summary: "auto" },
    ],
    [{ reasoning: { context: "all_turns" } }, { context: "all_turns" }],
    [{}, undefined],
  ])("reasoning of %j", (fields, expected) => {
    const { body } = canonical(fields);
    expect(body.reasoning).toEqual(expected);
    expect(body).not.toHaveProperty("reasoning_effort");
    expect(body).not.toHaveProperty("model_reasoning_effort");
  });

  it.each([
    [{ verbosity: "low" }, { verbosity: "low" }],
    [{ text_verbosity: "low" }, { verbosity: "low" }],
    [
      { model_verbosity: "low", text: { format: { type: "text" } } },
      { format: { type: "text" }, verbosity: "low" },
    ],
    [{ verbosity: "low", text: { verbosity: "high" } }, { verbosity: "high" }],
  ])("text of %j", (fields, expected) => {
    const { body } = canonical(fields);
    expect(body.text).toEqual(expected);
    for (const name of Object.keys(fields)) if (name !== "text") expect(body).not.toHaveProperty(name);
  });

  it("asks for encrypted reasoning once, beside what the client wants", () => {
    expect(canonical({}).body.include).toEqual(["reasoning.encrypted_content"]);
    const include = ["web_search_call.action.sources", "reasoning.encrypted_content"];
    expect(canonical({ include }).body.include).toEqual(include);
  });

  it("keeps what is the proxy's own out of the body and leaves the rest to the backend's rules", () => {
    const own = { stream: true, store: true, background: false, previous_response_id: null };
    const rest = {
      temperature: 0,
      max_output_tokens: 9,
      metadata: { a: "b" },
      user: "u",
      truncation: "auto",
      conversation: "c",
    };
    const { body, dropped } = canonical({ ...own, ...rest, instructions: "be brief" });
    for (const name of Object.keys(own)) expect(body).not.toHaveProperty(name);
    expect(body).toMatchObject({ ...rest, instructions: "be brief" });
    expect(dropped).toEqual([]);
  });

  it.each([
    [{ prompt_cache_key: "k" }, {}, "k"],
    [{}, { "x-session-id": "ses_1" }, "ses_1"],
    [{}, { "session-id": "s" }, "s"],
    [{}, {}, undefined],
  ])("session key of %j and headers %j", (fields, given, expected) => {
    expect(canonical(fields, headers(given)).sessionKey).toBe(expected);
  });
});

describe("native bodies", () => {
  const codex = JSON.parse(
    readFileSync(new URL("../../../fixtures/clients/codex-cli-first-turn.json", import.meta.url), "utf8"),
  ) as { headers: Record<string, string>; body: Record<string, unknown> };

  it("go on by reference when Codex sent them", () => {
    const body = bodyOf({ ...codex.body, tools: [] });
    const result = responsesDialect.toCanonical(body, headers(codex.headers));
    expect(result.native).toBe(true);
    expect(result.body).toBe(body);
  });

  it("are known by the lite form's first item", () => {
    const lite = { stream: true, store: false, input: [{ type: "additional_tools", tools: [] }] };
    expect(canonical(lite).native).toBe(true);
  });

  it.each([
    ["other headers", codex.body, {}],
    ["a string input", { ...codex.body, input: "hi" }, codex.headers],
    ["a stored response", { ...codex.body, store: true }, codex.headers],
    ["a whole answer", { ...codex.body, stream: false }, codex.headers],
  ])("are not those with %s", (_name, body, given) => {
    expect(canonical({ ...body, tools: [] }, headers(given)).native).toBeUndefined();
  });
});
