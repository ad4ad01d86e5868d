import { describe, expect, it } from "vitest";
import { readEvent, UpstreamEvent } from "../../../src/canonical/event.ts";

const place = { output_index: 0, content_index: 0, item_id: "msg_1" };
const text = { type: "response.output_text.delta", ...place, delta: "a" };
const done = (item: unknown) => ({ type: "response.output_item.done", output_index: 0, item });
const call = { type: "function_call", call_id: "call_1", name: "f", arguments: "{}" };
const completed = (fields: object) => ({ type: "response.completed", response: { id: "resp_1", ...fields } });
const checked = (event: object) => new UpstreamEvent(JSON.stringify(event), "any").value as unknown;

describe("an event's fields", () => {
  it.each<[string, object]>([
    ["a delta that is null", { ...text, delta: null }],
    ["a delta that is a number", { ...text, delta: 5 }],
    ["a delta that is missing", { ...text, delta: undefined }],
    ["an index that is text", { ...text, output_index: "zero" }],
    ["a negative index", { ...text, output_index: -1 }],
    ["an index out of all proportion", { ...text, output_index: 1e9 }],
    ["a part's index out of all proportion", { ...text, content_index: 4_294_967_294 }],
    ["an item that is null", done(null)],
    ["an item without a type", done({ id: "x" })],
    ["a message whose content is text", done({ type: "message", content: "x" })],
    ["a part without its text", done({ type: "message", content: [{ type: "output_text" }] })],
    ["a call without a name", done({ ...call, name: undefined })],
    ["a call whose arguments are an object", done({ ...call, arguments: {} })],
    ["a summary that is text", done({ type: "reasoning", summary: "x" })],
    ["an end without a response", { type: "response.completed", response: null }],
    ["an output that is no list of items", completed({ output: [null] })],
  ])("%s is refused", (_, event) => {
    expect(() => checked(event)).toThrow(expect.objectContaining({ kind: "upstream_protocol" }));
    expect(() => readEvent(` ${JSON.stringify(event)}`)).toThrow(/malformed/);
  });

  it.each<[string, object]>([
    ["an item of an unknown type", done({ type: "hologram", content: 5 })],
    ["an unknown event", { type: "response.hologram", delta: 5, item: null }],
    ["a call without arguments", done({ ...call, arguments: undefined })],
    ["an end without output and usage", completed({ output: null, usage: null })],
    ["a failure without a response", { type: "response.failed" }],
  ])("%s passes", (_, event) => {
    expect(checked(event)).toEqual(JSON.parse(JSON.stringify(event)));
  });

  it("an index that is null counts as left out", () => {
    expect(checked({ ...text, output_index: null })).not.toHaveProperty("output_index");
  });

  it("usage that holds no counts is left out, and the answer is taken", () => {
    for (const usage of [{ input_tokens: "ten" }, { input_tokens: -1, output_tokens: 2 }, [], 5])
      expect(checked(completed({ usage }))).toEqual(completed({}));
    const usage = { input_tokens: 1, output_tokens: 2, total_tokens: 3 };
    expect(checked(completed({ usage }))).toEqual(completed({ usage }));
  });

  it("an event that came in several lines leaves in one", () => {
    expect(readEvent(JSON.stringify(text, null, 1))?.data).toBe(JSON.stringify(text));
    expect(readEvent(`{"type":"x",\n"a":1}`)?.data).toBe('{"type":"x","a":1}');
    expect(readEvent(`\n${JSON.stringify(text)}`)?.data).toBe(JSON.stringify(text));
  });
});
