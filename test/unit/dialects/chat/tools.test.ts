import { describe, expect, it } from "vitest";
import { failureFrom, translate } from "./support.ts";

const empty = { type: "object", properties: {} };
const f = { type: "function", function: { name: "f" } };

describe("toTools", () => {
  const cases: [name: string, fields: Record<string, unknown>, tools: unknown][] = [
    ["nothing for an empty list", { tools: [] }, undefined],
    [
      "a function whose strictness and parameters are said",
      { tools: [{ type: "function", function: { name: "f", description: "d" } }] },
      [{ type: "function", name: "f", description: "d", parameters: empty, strict: false }],
    ],
    [
      "a strict function",
      { tools: [{ type: "function", function: { name: "f", parameters: empty, strict: true } }] },
      [{ type: "function", name: "f", parameters: empty, strict: true }],
    ],
    [
      "a flat definition",
      { tools: [{ type: "function", name: "f", parameters: empty }] },
      [{ type: "function", name: "f", parameters: empty, strict: false }],
    ],
    [
      "custom tools with text and grammar",
      {
        tools: [
          { type: "custom", custom: { name: "t", format: { type: "text" } } },
          {
            type: "custom",
            custom: {
              name: "g",
              description: "d",
              format: { type: "grammar", grammar: { syntax: "lark", definition: "start: x" } },
            },
          },
        ],
      },
      [
        { type: "custom", name: "t", format: { type: "text" } },
        {
          type: "custom",
          name: "g",
          description: "d",
          format: { type: "grammar", syntax: "lark", definition: "start: x" },
        },
      ],
    ],
    [
      "legacy functions",
      { functions: [{ name: "f", parameters: empty }] },
      [{ type: "function", name: "f", parameters: empty, strict: false }],
    ],
    ["a hosted tool as it is", { tools: [{ type: "web_search", x: 1 }] }, [{ type: "web_search", x: 1 }]],
    ["web search", { web_search_options: {} }, [{ type: "web_search" }]],
    [
      "web search with its options",
      {
        web_search_options: {
          search_context_size: "low",
          user_location: { type: "approximate", approximate: { city: "Rome", country: "IT" } },
        },
      },
      [
        {
          type: "web_search",
          search_context_size: "low",
          user_location: { type: "approximate", city: "Rome", country: "IT" },
        },
      ],
    ],
    [
      "one web search",
      { web_search_options: {}, tools: [{ type: "web_search", search_context_size: "high" }] },
      [{ type: "web_search", search_context_size: "high" }],
    ],
  ];
  it.each(cases)("gives %s", (_, fields, tools) => {
    expect(translate(fields).body.tools).toEqual(tools);
  });

  it("asks for one call at a time where the answer has room for one", () => {
    expect(translate({ functions: [{ name: "f" }] }).body.parallel_tool_calls).toBe(false);
  });

  const refused: [fields: Record<string, unknown>, param: string][] = [
    [{ tools: ["f"] }, "tools[0]"],
    [{ tools: [{}] }, "tools[0].type"],
    [{ tools: [{ type: "function", function: {} }] }, "tools[0].function.name"],
    [{ tools: [{ type: "function", function: { name: "f", parameters: [] } }] }, "tools[0].function.parameters"],
    [{ tools: [{ type: "custom", custom: {} }] }, "tools[0].custom.name"],
    [{ functions: [{}] }, "functions[0].name"],
  ];
  it.each(refused)("refuses %j", (fields, param) => {
    expect(failureFrom(() => translate(fields))).toMatchObject({ kind: "invalid_request", param });
  });
});

describe("toToolChoice", () => {
  const cases: [fields: Record<string, unknown>, choice: unknown][] = [
    [{ tools: [f] }, undefined],
    [{ tools: [f], tool_choice: "auto" }, "auto"],
    [{ tools: [f], tool_choice: "none" }, "none"],
    [{ tools: [f], tool_choice: "required" }, "required"],
    [{ tool_choice: "auto" }, undefined],
    [{ tools: [], tool_choice: "none" }, undefined],
    [
      { tools: [f], tool_choice: { type: "function", function: { name: "f" } } },
      { type: "function", name: "f" },
    ],
    [
      { tools: [f], tool_choice: { type: "function", name: "f" } },
      { type: "function", name: "f" },
    ],
    [
      { tools: [f], tool_choice: { type: "custom", custom: { name: "c" } } },
      { type: "custom", name: "c" },
    ],
    [{ tools: [f], tool_choice: { type: "web_search" } }, { type: "web_search" }],
    [
      {
        tools: [f],
        tool_choice: {
          type: "allowed_tools",
          allowed_tools: {
            mode: "required",
            tools: [
              { type: "function", function: { name: "f" } },
              { type: "custom", custom: { name: "c" } },
            ],
          },
        },
      },
      {
        type: "allowed_tools",
        mode: "required",
        tools: [
          { type: "function", name: "f" },
          { type: "custom", name: "c" },
        ],
      },
    ],
    [{ functions: [{ name: "f" }], function_call: "auto" }, "auto"],
    [{ functions: [{ name: "f" }], function_call: "none" }, "none"],
    [
      { functions: [{ name: "f" }], function_call: { name: "f" } },
      { type: "function", name: "f" },
    ],
  ];
  it.each(cases)("maps %j", (fields, choice) => {
    expect(translate(fields).body.tool_choice).toEqual(choice);
  });

  const refused: [choice: unknown, param: string][] = [
    ["any", "tool_choice"],
    [{ type: "function" }, "tool_choice.function.name"],
    [{ type: "allowed_tools", allowed_tools: {} }, "tool_choice.allowed_tools.tools"],
    [{ type: "allowed_tools", allowed_tools: { tools: ["f"] } }, "tool_choice.allowed_tools.tools[0]"],
  ];
  it.each(refused)("refuses %j", (tool_choice, param) => {
    expect(failureFrom(() => translate({ tools: [f], tool_choice }))).toMatchObject({ kind: "invalid_request", param });
  });
});
