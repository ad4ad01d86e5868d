import { describe, expect, test } from "vitest";
import { makeEvent } from "../../../src/canonical/event.ts";
import { legaliseNames, restoreNames } from "../../../src/canonical/names.ts";
import type { ResponsesBody } from "../../../src/canonical/request.ts";

const LONG = `mcp__plugin_${"server_".repeat(12)}__read`;

describe("legaliseNames", () => {
  test("legal names leave the body the same object", () => {
    const body: ResponsesBody = { model: "m", input: [], tools: [{ type: "function", name: "Read-1_x" }] };
    expect(legaliseNames(body)).toEqual({ body, restore: undefined });
    expect(legaliseNames(body).body).toBe(body);
  });

  test("definitions, namespaces, choice and history are mapped alike, and back", () => {
    const body: ResponsesBody = {
      model: "m",
      tools: [
        { type: "function", name: LONG },
        { type: "namespace", name: "ns", tools: [{ type: "function", name: "a.b" }] },
        { type: "web_search" },
      ],
      tool_choice: { type: "function", name: LONG },
      input: [
        { type: "function_call", call_id: "1", name: LONG, arguments: "{}" },
        { type: "function_call_output", call_id: "1", output: "" },
      ],
    };
    const { body: legal, restore } = legaliseNames(body);
    const names = restore as ReadonlyMap<string, string>;
    const [short] = [...names].find(([, name]) => name === LONG) as [string, string];
    expect(short).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(legal.tools?.[0]).toMatchObject({ name: short });
    expect(legal.tool_choice).toEqual({ type: "function", name: short });
    expect(legal.input[0]).toMatchObject({ name: short });
    expect(legal.input[1]).toBe(body.input[1]);
    expect([...names.values()]).toContain("a.b");

    const item = { type: "function_call" as const, call_id: "2", name: short, arguments: "{}" };
    for (const event of [
      makeEvent({ type: "response.output_item.added", output_index: 0, item }),
      makeEvent({ type: "response.output_item.done", output_index: 0, item }),
      makeEvent({ type: "response.completed", response: { id: "r", output: [item] } }),
    ]) {
      const restored = restoreNames(event, names);
      expect(restored.data).toContain(JSON.stringify(LONG));
      expect(restored.data).not.toContain(short);
    }
    const other = makeEvent({ type: "response.output_item.done", output_index: 0, item: { ...item, name: "Read" } });
    expect(restoreNames(other, names)).toBe(other);
  });

  test("names that differ only in refused characters stay apart", () => {
    const tools = ["a.b", "a/b", "a b"].map((name) => ({ type: "function" as const, name }));
    const { body } = legaliseNames({ model: "m", input: [], tools });
    expect(new Set(body.tools?.map((tool) => tool.name)).size).toBe(3);
  });

  test("allowed tools of a choice are mapped", () => {
    const choice = { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "a.b" }] };
    const { body } = legaliseNames({
      model: "m",
      input: [],
      tools: [{ type: "function", name: "a.b" }],
      tool_choice: choice,
    });
    expect(body.tool_choice).toMatchObject({ tools: [{ name: body.tools?.[0]?.name }] });
  });
});
