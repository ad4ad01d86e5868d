import { describe, expect, it } from "vitest";
import { failureFrom, translate } from "./support.ts";

const input = (...messages: unknown[]) => translate({ messages }).body.input;
const ask = { role: "user", content: "hi" };
const asked = { type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] };
const developer = (text: string) => ({ type: "message", role: "developer", content: [{ type: "input_text", text }] });
const said = (text: string) => ({ type: "message", role: "assistant", content: [{ type: "output_text", text }] });
const call = (id: string, name = "f", args = "{}") => ({ type: "function_call", call_id: id, name, arguments: args });
const called = (id: string, name = "f", args = "{}") => ({ id, type: "function", function: { name, arguments: args } });
const png = "data:image/png;base64,AAAA";

describe("toInput", () => {
  const cases: [name: string, messages: unknown[], items: unknown[]][] = [
    [
      "system and developer messages as developer items, in place",
      [{ role: "system", content: "a" }, ask, { role: "developer", content: [{ type: "text", text: "b" }] }],
      [developer("a"), asked, developer("b")],
    ],
    ["no item for an empty system message", [{ role: "system", content: "" }, ask], [asked]],
    [
      "user parts in order",
      [
        {
          role: "user",
          content: [
            { type: "text", text: "look" },
            { type: "image_url", image_url: { url: png, detail: "high" } },
            { type: "text", text: "" },
            { type: "image_url", image_url: { url: "https://x.test/a.png" } },
            { type: "image_url", image_url: "https://x.test/b.png" },
            { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,QUJD" } },
            { type: "file", file: { file_data: "QUJD" } },
            { type: "file", file: { file_id: "file-1" } },
          ],
        },
      ],
      [
        {
          type: "message",
          role: "user",
          content: [
            { type: "input_text", text: "look" },
            { type: "input_image", image_url: png, detail: "high" },
            { type: "input_image", image_url: "https://x.test/a.png", detail: "auto" },
            { type: "input_image", image_url: "https://x.test/b.png", detail: "auto" },
            { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,QUJD" },
            { type: "input_file", filename: "file.pdf", file_data: "data:application/pdf;base64,QUJD" },
            { type: "input_file", file_id: "file-1" },
          ],
        },
      ],
    ],
    [
      "assistant text and calls together, in order",
      [
        ask,
        { role: "assistant", content: "let me see", tool_calls: [called("c1"), called("c2", "g", '{"a":1}')] },
        { role: "tool", tool_call_id: "c1", content: "one" },
        { role: "tool", tool_call_id: "c2", content: "" },
      ],
      [
        asked,
        said("let me see"),
        call("c1"),
        call("c2", "g", '{"a":1}'),
        { type: "function_call_output", call_id: "c1", output: "one" },
        { type: "function_call_output", call_id: "c2", output: "" },
      ],
    ],
    [
      "no message for null, absent or empty assistant content",
      [
        ask,
        { role: "assistant", content: null, tool_calls: [called("c1", "f", "")] },
        { role: "tool", tool_call_id: "c1", content: null },
        { role: "assistant" },
        { role: "assistant", content: "" },
        { role: "assistant", content: [] },
      ],
      [asked, call("c1"), { type: "function_call_output", call_id: "c1", output: "" }],
    ],
    [
      "assistant parts and refusals",
      [
        ask,
        {
          role: "assistant",
          content: [
            { type: "text", text: "a" },
            { type: "refusal", refusal: "no" },
          ],
        },
        { role: "assistant", content: null, refusal: "never" },
      ],
      [
        asked,
        {
          type: "message",
          role: "assistant",
          content: [
            { type: "output_text", text: "a" },
            { type: "refusal", refusal: "no" },
          ],
        },
        { type: "message", role: "assistant", content: [{ type: "refusal", refusal: "never" }] },
      ],
    ],
    [
      "custom tool calls and their outputs",
      [
        ask,
        {
          role: "assistant",
          tool_calls: [{ id: "c1", type: "custom", custom: { name: "patch", input: "*** Begin" } }],
        },
        { role: "tool", tool_call_id: "c1", content: "ok" },
      ],
      [
        asked,
        { type: "custom_tool_call", call_id: "c1", name: "patch", input: "*** Begin" },
        { type: "custom_tool_call_output", call_id: "c1", output: "ok" },
      ],
    ],
    [
      "tool outputs with text, images and files as parts",
      [
        ask,
        { role: "assistant", tool_calls: [called("c1"), called("c2")] },
        {
          role: "tool",
          tool_call_id: "c1",
          content: [
            { type: "text", text: "see" },
            { type: "image_url", image_url: { url: png } },
            { type: "file", file: { filename: "r.pdf", file_data: "data:application/pdf;base64,QUJD" } },
          ],
        },
        { role: "tool", tool_call_id: "c2", content: [] },
      ],
      [
        asked,
        call("c1"),
        call("c2"),
        {
          type: "function_call_output",
          call_id: "c1",
          output: [
            { type: "input_text", text: "see" },
            { type: "input_image", image_url: png, detail: "auto" },
            { type: "input_file", filename: "r.pdf", file_data: "data:application/pdf;base64,QUJD" },
          ],
        },
        { type: "function_call_output", call_id: "c2", output: "" },
      ],
    ],
    [
      "legacy function calls, each with an id of its own",
      [
        ask,
        { role: "assistant", content: null, function_call: { name: "f", arguments: "{}" } },
        { role: "function", name: "f", content: "one" },
        { role: "assistant", content: null, function_call: { name: "f", arguments: "{}" } },
        { role: "function", name: "f", content: "two" },
      ],
      [
        asked,
        call("call_legacy_1"),
        { type: "function_call_output", call_id: "call_legacy_1", output: "one" },
        call("call_legacy_3"),
        { type: "function_call_output", call_id: "call_legacy_3", output: "two" },
      ],
    ],
  ];
  it.each(cases)("gives %s", (_, messages, items) => {
    expect(input(...messages)).toEqual(items);
  });

  it("accepts a call without a type, as older programs send it", () => {
    const messages = [ask, { role: "assistant", tool_calls: [{ id: "c", function: { name: "f", arguments: "{}" } }] }];
    expect(input(...messages)).toEqual([asked, call("c")]);
  });

  it("reports names of participants, audio answers and cache breakpoints", () => {
    const messages = [
      {
        role: "user",
        name: "Ann",
        content: [{ type: "text", text: "hi", prompt_cache_breakpoint: { mode: "explicit" } }],
      },
      { role: "assistant", content: "x", audio: { id: "a" } },
    ];
    expect(translate({ messages }).dropped).toEqual(["messages.name", "prompt_cache_breakpoint", "messages.audio"]);
  });

  it("gives equal items for equal beginnings of a history", () => {
    const first = [ask, { role: "assistant", function_call: { name: "f", arguments: "{}" } }];
    const longer = [...first, { role: "function", name: "f", content: "1" }, ask];
    const before = JSON.stringify(input(...first)).slice(0, -1);
    expect(JSON.stringify(input(...longer)).startsWith(before)).toBe(true);
  });

  const refused: [name: string, message: unknown, param: string][] = [
    ["user without content", { role: "user" }, "messages[1].content"],
    ["user with null content", { role: "user", content: null }, "messages[1].content"],
    ["a part that is no object", { role: "user", content: ["x"] }, "messages[1].content[0]"],
    ["an unknown part type", { role: "user", content: [{ type: "video" }] }, "messages[1].content[0].type"],
    [
      "an image in a system message",
      { role: "system", content: [{ type: "image_url" }] },
      "messages[1].content[0].type",
    ],
    ["a text part without text", { role: "user", content: [{ type: "text" }] }, "messages[1].content[0].text"],
    ["an image without url", { role: "user", content: [{ type: "image_url" }] }, "messages[1].content[0].image_url"],
    [
      "a file without data",
      { role: "user", content: [{ type: "file", file: {} }] },
      "messages[1].content[0].file.file_data",
    ],
    [
      "audio",
      { role: "user", content: [{ type: "input_audio", input_audio: { data: "", format: "wav" } }] },
      "messages[1].content[0].input_audio",
    ],
    ["tool output without id", { role: "tool", content: "x" }, "messages[1].tool_call_id"],
    ["tool_calls no array", { role: "assistant", tool_calls: {} }, "messages[1].tool_calls"],
    ["call without id", { role: "assistant", tool_calls: [{ function: {} }] }, "messages[1].tool_calls[0].id"],
    [
      "arguments that are no string",
      { role: "assistant", tool_calls: [{ id: "c", function: { name: "f", arguments: {} } }] },
      "messages[1].tool_calls[0].function.arguments",
    ],
  ];
  it.each(refused)("refuses %s", (_, message, param) => {
    expect(failureFrom(() => input(ask, message))).toMatchObject({ kind: "invalid_request", param });
  });

  it("refuses a conversation without any content", () => {
    expect(failureFrom(() => input({ role: "user", content: "" }))).toMatchObject({ param: "messages" });
  });
});
