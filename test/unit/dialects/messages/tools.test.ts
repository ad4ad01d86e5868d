import { describe, expect, it } from "vitest";
import { fitsStrict, toParameters } from "../../../../src/dialects/messages/input-schema.ts";
import { checkTools } from "../../../upstream/rules-tools.ts";
import { canonical, type Json } from "./support.ts";

const tool = (input_schema: unknown, fields: Json = {}) => ({ name: "t", input_schema, ...fields });
const object = (properties: Json, fields: Json = {}) => ({ type: "object", properties, ...fields });
const string = { type: "string" };

describe("tools", () => {
  it("a custom tool is a function that is not strict", () => {
    const { body } = canonical({
      tools: [tool(object({ a: string }), { type: "custom", description: "D", defer_loading: true })],
    });
    expect(body.tools).toEqual([
      { type: "function", name: "t", description: "D", parameters: object({ a: string }), strict: false },
    ]);
    expect(body).not.toHaveProperty("tool_choice");
  });

  it("strict is kept where upstream's strict mode takes the schema, else reported", () => {
    const closed = object({ a: string }, { required: ["a"], additionalProperties: false });
    expect(canonical({ tools: [tool(closed, { strict: true })] }).body.tools).toMatchObject([{ strict: true }]);
    const open = canonical({ tools: [tool(object({ a: string }), { strict: true })] });
    expect(open.body.tools).toMatchObject([{ strict: false }]);
    expect(open.dropped).toEqual(["tools.strict"]);
  });

  it("examples of input are told in the description", () => {
    const [made] = canonical({ tools: [tool({}, { description: "D", input_examples: [{ a: 1 }] })] }).body.tools ?? [];
    expect(made?.description).toBe('D\n\nExamples of input:\n{"a":1}');
  });

  it.each(["bash_20250124", "text_editor_20250728", "memory_20250818", "computer_20251124"])(
    "%s, which the client runs, is a function with its documented input",
    (type) => {
      const made = canonical({ tools: [{ type, name: "own", display_width_px: 1, display_height_px: 2 }] });
      expect(made.dropped).toEqual([]);
      expect(made.body.tools).toMatchObject([{ type: "function", name: "own", parameters: { type: "object" } }]);
      expect(() => checkTools(made.body.tools, "tools", { lite: true, platform: false })).not.toThrow();
    },
  );

  it.each([
    "web_fetch_20250910",
    "code_execution_20250825",
    "tool_search_tool_regex_20251119",
    "mcp_toolset",
    "computer_toolset_20260801",
  ])("%s, which only Anthropic runs, is reported", (type) => {
    const made = canonical({ tools: [{ type, name: "x" }], tool_choice: { type: "auto" } });
    expect(made.dropped).toEqual([`tools.${type}`]);
    expect(made.body).not.toHaveProperty("tools");
    expect(made.body).not.toHaveProperty("tool_choice");
  });

  it("web search keeps its domains and place", () => {
    const location = { type: "approximate", city: "Bern" };
    const own = {
      type: "web_search_20260209",
      name: "web_search",
      allowed_domains: ["e.org"],
      blocked_domains: ["x.org"],
      user_location: location,
    };
    const made = canonical({ tools: [own] });
    expect(made.body.tools).toEqual([
      { type: "web_search", filters: { allowed_domains: ["e.org"] }, user_location: location },
    ]);
    expect(made.dropped).toEqual(["tools.blocked_domains"]);
  });

  it("a tool that a system message brings in is offered too", () => {
    const addition = {
      type: "tool_addition",
      tool: { type: "tool_definition", definition: tool({}, { name: "late" }) },
    };
    const messages = [
      { role: "user", content: "x" },
      { role: "system", content: [addition] },
    ];
    expect(canonical({ messages, tools: [tool({})] }).body.tools?.map((each) => each.name)).toEqual(["t", "late"]);
  });
});

describe("tool_choice", () => {
  const tools = [
    tool({}),
    { type: "web_search_20250305", name: "web_search" },
    { type: "web_fetch_20250910", name: "web_fetch" },
  ];
  it.each<[Json, unknown, boolean | undefined]>([
    [{ type: "auto" }, "auto", undefined],
    [{ type: "any" }, "required", undefined],
    [{ type: "any", disable_parallel_tool_use: true }, "required", false],
    [{ type: "none" }, "none", undefined],
    [{ type: "tool", name: "t", disable_parallel_tool_use: true }, { type: "function", name: "t" }, false],
    [{ type: "tool", name: "web_search" }, { type: "web_search" }, undefined],
    [{ type: "tool", name: "web_fetch" }, "auto", undefined],
  ])("%j → %j", (choice, expected, parallel) => {
    const { body } = canonical({ tools, tool_choice: choice });
    expect(body.tool_choice).toEqual(expected);
    expect(body.parallel_tool_calls).toBe(parallel);
  });

  it("a name that no tool has is refused", () => {
    expect(() => canonical({ tools, tool_choice: { type: "tool", name: "nope" } })).toThrow("no tool named nope");
  });
});

describe("toParameters", () => {
  const a = object({ a: string }, { required: ["a"] });
  const b = object({ b: string }, { required: ["b"] });
  it.each<[string, unknown, unknown]>([
    ["nothing", undefined, object({})],
    ["an empty schema", {}, object({})],
    ["a type list", { type: ["object", "null"], properties: { a: string } }, object({ a: string })],
    ["null properties and required", { type: "object", properties: null, required: null }, object({})],
    ["a dialect mark", { $schema: "x", ...a }, { $schema: "x", ...a }],
    ["anyOf", { anyOf: [a, b] }, object({ a: string, b: string })],
    ["oneOf with a common part", { ...a, oneOf: [b, b] }, object({ a: string, b: string }, { required: ["a", "b"] })],
    ["allOf", { allOf: [a, b] }, object({ a: string, b: string }, { required: ["a", "b"] })],
    ["a reference", { $ref: "#/$defs/A", $defs: { A: a } }, { ...a, $defs: { A: a } }],
    ["an array without items", object({ a: { type: "array" } }), object({ a: { type: "array", items: {} } })],
    ["an unknown type", object({ a: { type: "any" } }), object({ a: {} })],
    ["an empty enum", object({ a: { type: "string", enum: [] } }), object({ a: string })],
  ])("%s", (_name, schema, expected) => {
    expect(toParameters(schema)).toEqual(expected);
    const tools = [{ type: "function", name: "t", parameters: toParameters(schema), strict: false }];
    expect(() => checkTools(tools, "tools", { lite: false, platform: false })).not.toThrow();
  });

  it("a reference to itself ends", () => {
    expect(toParameters({ $ref: "#" })).toMatchObject({ type: "object", properties: {} });
  });
});

describe("fitsStrict", () => {
  const closed = (properties: Json, required = Object.keys(properties)) =>
    object(properties, { required, additionalProperties: false });
  it.each<[boolean, unknown]>([
    [true, closed({ a: string })],
    [true, closed({ a: { anyOf: [string, { type: "null" }] }, b: { type: "array", items: closed({ c: string }) } })],
    [false, object({ a: string })],
    [false, closed({ a: string }, [])],
    [false, closed({}, ["a"])],
    [false, closed({ a: object({}) })],
    [false, closed({ a: {} })],
    [false, closed({ a: { allOf: [string] } })],
    [false, { anyOf: [closed({})] }],
    [false, string],
  ])("%s: %j", (expected, schema) => {
    expect(fitsStrict(schema)).toBe(expected);
  });
});
