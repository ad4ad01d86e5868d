import { describe, expect, test } from "vitest";
import type { CanonicalRequest, InputItem, ResponsesBody, Tool } from "../../../src/canonical/request.ts";
import type { RequestDefaults } from "../../../src/config/config.ts";
import { laneNeeds } from "../../../src/upstream/chatgpt.ts";
import { createFieldMemory } from "../../../src/upstream/field-memory.ts";
import { createLaneMemory } from "../../../src/upstream/lanes.ts";
import { makePlan, type Plan } from "../../../src/upstream/plan.ts";
import { canonical, fakeClock, MODELS, makeConfig, user } from "./support.ts";

const NONE: RequestDefaults = { fast: false, reasoningEffort: undefined, verbosity: undefined, serviceTier: undefined };
const tool = (name: string, more: object = {}): Tool =>
  ({ type: "function", name, parameters: { type: "object", properties: {} }, strict: false, ...more }) as Tool;
const developer = (text: string): InputItem => ({ type: "message", role: "developer", content: text });

function plan(
  body: Partial<ResponsesBody>,
  options: {
    defaults?: Partial<RequestDefaults>;
    mode?: "chatgpt" | "api_key";
    more?: Partial<CanonicalRequest>;
    plainChoice?: boolean;
  } = {},
): Plan & { lost: string[] } {
  const made = makePlan(
    canonical(body, options.more),
    { lane: undefined, plainChoice: options.plainChoice ?? false, removed: [], refused: [], withoutReasoning: false },
    {
      config: makeConfig({ defaults: { ...NONE, ...options.defaults } }),
      mode: options.mode ?? "chatgpt",
      models: MODELS,
      lanes: createLaneMemory(fakeClock()),
      fields: createFieldMemory(fakeClock()),
      header: () => undefined,
    },
  );
  return { ...made, lost: made.dropped.map((field) => field.name) };
}
const lite = "gpt-6-luna";

describe("top-level fields of the ChatGPT backend", () => {
  test.each([
    ["max_output_tokens", 10],
    ["temperature", 0.2],
    ["top_p", 0.9],
    ["top_logprobs", 3],
    ["metadata", { a: "b" }],
    ["user", "me"],
    ["safety_identifier", "me"],
    ["prompt_cache_retention", "24h"],
    ["truncation", "auto"],
    ["context_management", []],
    ["previous_response_id", "resp_1"],
    ["background", true],
    ["max_tool_calls", 3],
    ["conversation", "conv"],
    ["something_new", 1],
  ])("%s is left out and told", (field, value) => {
    const made = plan({ [field]: value });
    expect(made.body).not.toHaveProperty(field);
    expect(made.dropped).toEqual([{ name: field, honoured: field === "max_output_tokens" }]);
  });

  test.each([
    ["temperature", null],
    ["truncation", "disabled"],
    ["background", false],
    ["metadata", {}],
    ["stream_options", { include_obfuscation: false }],
    ["service_tier", "auto"],
    ["store", true],
  ])("%s at %j asks for nothing and is not told", (field, value) => {
    expect(plan({ [field]: value }).lost).toEqual([]);
  });

  test("names that no header may carry are made so", () => {
    const { lost } = plan({ "a\r\nset-cookie: x": 1, ünï: 1, ["k".repeat(500)]: 1 });
    expect(() => new Headers({ "x-dropped": lost.join(",") })).not.toThrow();
    expect(lost).toEqual(["a__set-cookie:_x", "_n_", "k".repeat(80)]);
  });

  test("a field is told by the client's own name of it", () => {
    expect(
      plan({ temperature: 1 }, { more: { clientNames: { temperature: "temp" }, dropped: ["seed"] } }).lost,
    ).toEqual(["seed", "temp"]);
  });
});

describe("instructions", () => {
  test("classic: the client's own, else the first developer message, else a neutral line", () => {
    expect(plan({ instructions: "Own" }).body.instructions).toBe("Own");
    const moved = plan({ input: [developer("Lead"), user("hi")] });
    expect(moved.body).toMatchObject({ instructions: "Lead", input: [user("hi")] });
    expect(plan({}).body.instructions).toMatch(/\S/);
    expect(plan({ input: [developer("only")] }).body.input).toEqual([developer("only")]);
  });

  test("classic: in JSON mode the developer message stays, for its word", () => {
    const made = plan({ input: [developer("Answer in json"), user("hi")], text: { format: { type: "json_object" } } });
    expect(made.body.input).toEqual([developer("Answer in json"), user("hi")]);
  });

  test("lite: a developer message behind the tools, never a field", () => {
    const made = plan({ model: lite, instructions: "Own", tools: [tool("f")] });
    expect(made.body).not.toHaveProperty("instructions");
    expect(made.body).not.toHaveProperty("tools");
    expect(made.body.input).toEqual([
      { type: "additional_tools", role: "developer", tools: [tool("f")] },
      { type: "message", role: "developer", content: [{ type: "input_text", text: "Own" }] },
      user("hi"),
    ]);
  });
});

describe("lanes", () => {
  test.each([
    ["gpt-5.5", {}, "classic"],
    ["gpt-6-sol", {}, "lite"],
    ["gpt-6-sol", { tools: [tool("f")] }, "lite"],
    ["gpt-6-sol", { tools: [tool("f")], parallel_tool_calls: true }, "classic"],
    ["gpt-6-sol", { tools: [{ type: "web_search" }] }, "classic"],
    ["gpt-6-sol", { tools: [tool("f")], tool_choice: "required" }, "classic"],
    ["gpt-6-luna", { tools: [{ type: "web_search" }] }, "lite"],
    ["gpt-unheard-of", {}, "classic"],
  ] as const)("%s with %j goes %s", (model, body, lane) => {
    const made = plan({ model, ...(body as Partial<ResponsesBody>) });
    expect(made.lane).toBe(lane);
    expect(made.headers["x-openai-internal-codex-responses-lite"]).toBe(lane === "lite" ? "true" : undefined);
  });

  test("lite: one call at a time, all turns' reasoning, no hosted tools, told", () => {
    const made = plan({
      model: lite,
      tools: [tool("f"), { type: "web_search" }],
      parallel_tool_calls: true,
      reasoning: { effort: "high" },
    });
    expect(made.body).toMatchObject({
      parallel_tool_calls: false,
      reasoning: { effort: "high", context: "all_turns" },
      tool_choice: "auto",
    });
    expect(made.lost).toEqual(["tools.web_search", "parallel_tool_calls"]);
  });

  test("lite: a forced choice is sent as it is, and nothing is lost", () => {
    const tools = [tool("f"), tool("g")];
    for (const tool_choice of ["required", { type: "function", name: "g" }]) {
      const sent = plan({ model: lite, tools, tool_choice });
      expect([sent.body.tool_choice, sent.lost]).toEqual([tool_choice, []]);
    }
  });

  test("lite: a choice of none offers no tool", () => {
    const tools = [tool("f"), tool("g")];
    expect(plan({ model: lite, tools, tool_choice: "none" }).body.input).toEqual([user("hi")]);
  });

  describe("lite, where auto alone is taken", () => {
    const custom: Tool = { type: "custom", name: "c" };
    const forced = (tools: Tool[], tool_choice: unknown, more: Partial<ResponsesBody> = {}) =>
      plan({ model: lite, tools, tool_choice, ...more }, { plainChoice: true });

    test.each([
      ["a function by name", [tool("f"), tool("g"), custom], { type: "function", name: "g" }],
      ["the only function", [tool("g")], "required"],
      [
        "the only allowed one",
        [tool("f"), tool("g")],
        { type: "allowed_tools", mode: "required", tools: [{ type: "function", name: "g" }] },
      ],
      ["the only one that the lane has", [tool("g"), { type: "web_search" }], "required"],
    ] as const)("the choice of %s becomes structured output", (_name, tools, choice) => {
      const made = forced([...tools], choice, { text: { verbosity: "low" } });
      expect(made).toMatchObject({ forcedCall: "g", dropped: [{ name: "tool_choice", honoured: true }] });
      expect(made.body.text).toEqual({
        verbosity: "low",
        format: { type: "json_schema", name: "g", schema: { type: "object", properties: {} }, strict: false },
      });
      expect(made.body.tool_choice).toBe("auto");
      expect(made.body.input).toEqual([
        { type: "additional_tools", role: "developer", tools: [tool("g")] },
        user("hi"),
      ]);
    });

    test("a function's closed schema is kept to the letter, and its description goes along", () => {
      const parameters = {
        type: "object",
        properties: { a: { type: "string" } },
        required: ["a"],
        additionalProperties: false,
      };
      const made = forced([tool("g", { parameters, description: "d" })], "required");
      expect(made.body.text).toEqual({
        format: { type: "json_schema", name: "g", description: "d", schema: parameters, strict: true },
      });
    });

    test.each([
      ["one of several", [tool("f"), tool("g")], "required", 2],
      ["a free-form tool", [tool("f"), custom], { type: "custom", name: "c" }, 1],
    ] as const)("the choice of %s is told as lost", (_name, tools, choice, offered) => {
      const made = forced([...tools], choice);
      expect([made.forcedCall, made.body.tool_choice, made.lost]).toEqual([undefined, "auto", ["tool_choice"]]);
      expect((made.body.input as { tools: Tool[] }[])[0]?.tools).toHaveLength(offered);
      expect(made.dropped[0]?.honoured).toBe(false);
    });
  });

  test("lite: image detail goes, in messages and outputs", () => {
    const image = { type: "input_image" as const, image_url: "data:image/png;base64,AA==", detail: "high" };
    const input: InputItem[] = [
      { type: "message", role: "user", content: [image] },
      { type: "function_call", call_id: "1", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "1", output: [image] },
    ];
    expect(JSON.stringify(plan({ model: lite, input }).body)).not.toContain("detail");
    expect(JSON.stringify(plan({ input }).body)).toContain("detail");
  });

  test("what was learnt beats the catalogue, for an hour", () => {
    const clock = fakeClock();
    const lanes = createLaneMemory(clock);
    const entry = MODELS.find((model) => model.slug === "gpt-6-sol");
    const needs = laneNeeds({ model: "gpt-6-sol", input: [] });
    lanes.learn("gpt-6-sol", "classic");
    expect(lanes.choose("gpt-6-sol", entry, needs)).toBe("classic");
    clock.time += 3_600_001;
    expect(lanes.choose("gpt-6-sol", entry, needs)).toBe("lite");
  });
});

describe("controls", () => {
  test("request beats default, default beats fast, the name's suffix beats all", () => {
    const fast = { fast: true };
    expect(plan({}, { defaults: fast }).body).toMatchObject({
      reasoning: { effort: "low" },
      text: { verbosity: "low" },
      service_tier: "priority",
    });
    const defaults = { fast: true, reasoningEffort: "medium", verbosity: "high" };
    expect(plan({}, { defaults }).body).toMatchObject({ reasoning: { effort: "medium" }, text: { verbosity: "high" } });
    const body = { reasoning: { effort: "high" }, text: { verbosity: "medium" }, service_tier: "default" };
    const asked = plan(body, { defaults });
    expect(asked.body).toMatchObject({ reasoning: { effort: "high" }, text: { verbosity: "medium" } });
    expect(asked.body).not.toHaveProperty("service_tier");
    expect(plan({ model: "gpt-5.5-xhigh", ...body }).body.reasoning).toEqual({ effort: "xhigh" });
  });

  test.each([
    ["priority", "priority", []],
    ["fast", "priority", []],
    ["flex", undefined, ["service_tier"]],
    ["default", undefined, []],
  ])("tier %s is sent as %s", (asked, sent, lost) => {
    const made = plan({ service_tier: asked });
    expect(made.body.service_tier).toBe(sent);
    expect(made.lost).toEqual(lost);
  });

  test("reasoning.context goes to models of the newer kind only", () => {
    const reasoning = { context: "all_turns" };
    expect(plan({ reasoning })).toMatchObject({ lost: ["reasoning.context"] });
    const newer = plan({ model: "gpt-6-sol", reasoning, tools: [{ type: "web_search" }] });
    expect(newer.body.reasoning).toEqual({ context: "all_turns" });
  });

  test("a schema that breaks the rules of strict goes without, told", () => {
    const schema = { type: "object", properties: { a: { type: "string" } } };
    const made = plan({ text: { format: { type: "json_schema", name: "my name", schema, strict: true } } });
    expect(made.body.text).toEqual({ format: { type: "json_schema", name: "my_name", schema, strict: false } });
    expect(made.lost).toEqual(["text.format.strict"]);
  });

  test("include keeps what the backend knows", () => {
    const include = ["web_search_call.action.sources", "message.output_text.logprobs"];
    const made = plan({ include, tools: [{ type: "web_search" }] });
    expect(made.body.include).toEqual(["reasoning.encrypted_content", "web_search_call.action.sources"]);
    expect(made.lost).toEqual(["include"]);
  });
});

describe("tools", () => {
  test.each([
    [
      { type: "function", name: "f" },
      { type: "function", name: "f", parameters: { type: "object", properties: {} }, strict: false },
    ],
    [
      { type: "function", name: "f", description: null, parameters: null, cache_control: {} },
      { type: "function", name: "f", parameters: { type: "object", properties: {} }, strict: false },
    ],
    [
      tool("f", { parameters: { anyOf: [{ type: "object", properties: { a: { type: "array" } } }] } }),
      tool("f", { parameters: { type: "object", properties: { a: { type: "array", items: {} } } } }),
    ],
    [
      { type: "web_search_preview_2025_03_11", search_context_size: "low" },
      { type: "web_search", search_context_size: "low" },
    ],
  ])("%j", (given, sent) => {
    expect(plan({ tools: [given as Tool] }).body.tools).toEqual([sent]);
  });

  test("strict stays where the schema keeps its rules, and is the default there", () => {
    const parameters = {
      type: "object",
      properties: { a: { type: "string" } },
      required: ["a"],
      additionalProperties: false,
    };
    expect(plan({ tools: [{ type: "function", name: "f", parameters }] }).body.tools).toMatchObject([{ strict: true }]);
    const broken = plan({ tools: [tool("f", { strict: true, parameters: { ...parameters, required: [] } })] });
    expect(broken.body.tools).toMatchObject([{ strict: false }]);
    expect(broken.lost).toEqual(["tools.strict"]);
  });

  test("tools the backend lacks are told, a choice of them with it", () => {
    const made = plan({ tools: [{ type: "mcp", server_label: "x" }, tool("f")], tool_choice: { type: "mcp" } });
    expect(made.body).toMatchObject({ tools: [tool("f")], tool_choice: "auto" });
    expect(made.lost).toEqual(["tools.mcp", "tool_choice"]);
    expect(plan({ tools: [{ type: "mcp" }], tool_choice: "required" }).body).not.toHaveProperty("tool_choice");
  });

  test("allowed tools are the only ones offered", () => {
    const tool_choice = { type: "allowed_tools", mode: "required", tools: [{ type: "function", name: "g" }] };
    expect(plan({ tools: [tool("f"), tool("g")], tool_choice }).body).toMatchObject({
      tools: [tool("g")],
      tool_choice: "required",
    });
  });
});

describe("items", () => {
  test.each<[string, object, object | undefined]>([
    [
      "system becomes developer",
      { type: "message", role: "system", content: "x" },
      { type: "message", role: "developer", content: "x" },
    ],
    [
      "a stored id goes",
      { type: "message", id: "msg_1", status: "completed", role: "user", content: "x" },
      { type: "message", role: "user", content: "x" },
    ],
    ["a message without type", { role: "user", content: "x" }, { type: "message", role: "user", content: "x" }],
    ["an empty message goes", { type: "message", role: "assistant", content: [] }, undefined],
    [
      "parts fit the role",
      {
        type: "message",
        role: "assistant",
        content: [
          { type: "input_text", text: "a" },
          { type: "output_text", text: "" },
        ],
      },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "a" }] },
    ],
    [
      "cache marks go",
      {
        type: "message",
        role: "user",
        content: [{ type: "input_text", text: "a", cache_control: { type: "ephemeral" } }],
      },
      { type: "message", role: "user", content: [{ type: "input_text", text: "a" }] },
    ],
    [
      "unsealed reasoning goes",
      { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "s" }] },
      undefined,
    ],
    [
      "sealed reasoning stays, without its id",
      { type: "reasoning", id: "rs_1", summary: [], content: null, encrypted_content: "e", status: null },
      { type: "reasoning", summary: [], content: null, encrypted_content: "e" },
    ],
    [
      "a search keeps its id",
      { type: "web_search_call", id: "ws_1", status: "completed", action: { type: "search", query: "q" } },
      { type: "web_search_call", id: "ws_1", status: "completed", action: { type: "search", query: "q" } },
    ],
  ])("%s", (_, given, sent) => {
    const made = plan({ input: [given as InputItem, user("end")], instructions: "i" });
    expect(made.body.input).toEqual(sent ? [sent, user("end")] : [user("end")]);
    expect(made.lost).toEqual([]);
  });

  test("items that need no change are the same objects", () => {
    const input = [user("a"), { type: "message" as const, role: "assistant" as const, content: "b" }];
    const made = plan({ input, instructions: "i" });
    expect((made.body.input as unknown[])[0]).toBe(input[0]);
  });

  test("an item type that the backend lacks is told", () => {
    expect(plan({ input: [{ type: "item_reference", id: "x" }, user("a")] }).lost).toEqual(["input.item_reference"]);
  });
});

describe("prompt_cache_key", () => {
  const key = (body: Partial<ResponsesBody>, more?: Partial<CanonicalRequest>) =>
    plan(body, more ? { more } : {}).body.prompt_cache_key as string;

  test("the client's own where it fits, a hash where not", () => {
    expect(key({ prompt_cache_key: "mine" })).toBe("mine");
    expect(key({ prompt_cache_key: "k".repeat(65) })).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("stable for a session, and over the turns of a conversation without one", () => {
    expect(key({}, { sessionKey: "s" })).toBe(key({ input: [user("other")] }, { sessionKey: "s" }));
    expect(key({}, { sessionKey: "s" })).not.toBe(key({}, { sessionKey: "t" }));
    expect(key({ input: [user("a"), user("b")] })).toBe(key({ input: [user("a")] }));
    expect(key({ input: [user("a")] })).not.toBe(key({ input: [user("b")] }));
  });
});

describe("api.openai.com", () => {
  test("takes what the seat refuses; small output limits are kept by the proxy", () => {
    const body = { temperature: 0.5, metadata: { a: "b" }, user: "me", store: true, previous_response_id: "resp_1" };
    const made = plan({ ...body, max_output_tokens: 3, access_programs: [] }, { mode: "api_key" });
    expect(made.body).toMatchObject({ ...body, max_output_tokens: 16, stream: true });
    expect(made.body).not.toHaveProperty("access_programs");
    expect(made).toMatchObject({ lane: "platform", maxOutputTokens: 3, lost: [] });
    expect(plan({ max_output_tokens: 300 }, { mode: "api_key" })).toMatchObject({
      maxOutputTokens: undefined,
      body: { max_output_tokens: 300, store: false },
    });
  });

  test("half a history is not mended, a whole one is", () => {
    const input: InputItem[] = [{ type: "function_call_output", call_id: "1", output: "x" }];
    expect(plan({ input, previous_response_id: "resp_1" }, { mode: "api_key" }).body.input).toEqual(input);
    expect(plan({ input }, { mode: "api_key" }).body.input).toMatchObject([{ type: "message" }]);
  });

  test("Codex's own item field and tier go", () => {
    const input = [{ ...user("a"), internal_chat_message_metadata_passthrough: {} } as InputItem];
    const made = plan({ input, service_tier: "ultrafast" }, { mode: "api_key" });
    expect(made.body.input).toEqual([user("a")]);
    expect(made.lost).toEqual(["service_tier"]);
  });
});
