import { describe, expect, test } from "vitest";
import { isSealRefusal, refusedParameter, withoutField, withoutReasoning } from "../../../src/upstream/corrections.ts";
import { failureOfBody } from "../../../src/upstream/failure.ts";
import { isLaneRefusal } from "../../../src/upstream/lanes.ts";

const read = (status: number, body: object) => failureOfBody(status, new Headers(), JSON.stringify(body), { now: 0 });

describe("refusedParameter", () => {
  test.each([
    [{ detail: "Unsupported parameter: max_output_tokens" }, "max_output_tokens"],
    [{ detail: "Unsupported service_tier: default" }, "service_tier"],
    [
      { error: { message: "Unknown parameter: 'input[3].namespace'.", code: "unknown_parameter" } },
      "input[3].namespace",
    ],
    [{ error: { message: "Unsupported parameter: 'temperature' is not supported with this model." } }, "temperature"],
    [{ error: { message: "Unrecognized request argument supplied: foo" } }, "foo"],
    [
      { error: { message: "Not here.", code: "unsupported_parameter", param: "reasoning.context" } },
      "reasoning.context",
    ],
    [{ error: { message: "Unsupported value: 'x' is not supported", param: "reasoning.effort" } }, "reasoning.effort"],
    [{ error: { message: "m", code: "unsupported_value", param: "tool_choice" } }, "tool_choice"],
    [{ error: { message: "Encrypted content is not supported with this model.", param: "include" } }, "include"],
    [{ error: { message: "m", code: "unsupported_value", param: "input[0].content" } }, undefined],
    [{ detail: "Unsupported parameter: input" }, undefined],
    [{ detail: "Instructions are required" }, undefined],
    [{ error: { message: "Invalid type for 'tools[0].name'", param: "tools[0].name" } }, undefined],
  ])("%j is %s", (body, path) => {
    expect(refusedParameter(read(400, body))).toBe(path);
  });

  test("only a 400 asks for that", () => {
    expect(refusedParameter(read(500, { detail: "Unsupported parameter: user" }))).toBeUndefined();
  });
});

describe("withoutField", () => {
  test("removes by path, from every element of a list, and leaves the original alone", () => {
    const body = { a: 1, r: { x: 1, y: 2 }, input: [{ n: 1, t: 1 }, { t: 2 }, { n: 3, t: 3 }], include: ["p", "q"] };
    const before = structuredClone(body);
    expect(withoutField(body, "a")).not.toHaveProperty("a");
    expect(withoutField(body, "r.x").r).toEqual({ y: 2 });
    expect(withoutField(body, "input[2].n").input).toEqual([{ t: 1 }, { t: 2 }, { t: 3 }]);
    expect(withoutField(body, "include[1]").include).toEqual(["p"]);
    expect(body).toEqual(before);
  });

  test("a path that is not there gives the same object", () => {
    const body = { a: { b: 1 } };
    for (const path of ["x", "a.x", "a.b.c", "a[0]", "__proto__", "constructor.name"])
      expect(withoutField(body, path)).toBe(body);
  });
});

test("reasoning items go, the rest stays the same", () => {
  const body = { input: [{ type: "message" }, { type: "reasoning" }] };
  expect(withoutReasoning(body).input).toEqual([{ type: "message" }]);
  const none = { input: [{ type: "message" }] };
  expect(withoutReasoning(none)).toBe(none);
});

test("seal and lane refusals are told apart from other ones", () => {
  expect(isSealRefusal(read(400, { error: { code: "invalid_encrypted_content", message: "m" } }))).toBe(true);
  expect(isSealRefusal(read(400, { error: { message: "The encrypted content gA... could not be verified." } }))).toBe(
    true,
  );
  expect(isSealRefusal(read(400, { detail: "other" }))).toBe(false);
  expect(isLaneRefusal(read(404, { error: { message: "Model not found gpt-6-luna-free" } }))).toBe(true);
  expect(isLaneRefusal(read(400, { error: { message: "requires `parallel_tool_calls` to be false" } }))).toBe(true);
  expect(isLaneRefusal(read(404, { error: { message: "Item with id 'rs_1' not found." } }))).toBe(false);
  expect(isLaneRefusal(read(400, { detail: "Instructions are required" }))).toBe(false);
});
