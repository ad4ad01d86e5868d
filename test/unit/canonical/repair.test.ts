import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { repairInput } from "../../../src/canonical/repair.ts";
import type { InputItem } from "../../../src/canonical/request.ts";

const call = (id: string, name = "f"): InputItem => ({ type: "function_call", call_id: id, name, arguments: "{}" });
const output = (id: string, text = "ok"): InputItem => ({ type: "function_call_output", call_id: id, output: text });
const user = (text: string): InputItem => ({ type: "message", role: "user", content: text });

describe("repairInput", () => {
  test("a sound history is the same array", () => {
    const input = [user("a"), call("1"), call("2"), output("2"), output("1"), user("b")];
    expect(repairInput(input)).toBe(input);
  });

  test("ids over 64 characters are shortened alike on both sides", () => {
    const id = `toolu_${"x".repeat(90)}`;
    const [first, second] = repairInput([call(id), output(id)]) as { call_id: string }[];
    expect(first?.call_id.length).toBeLessThanOrEqual(64);
    expect(second?.call_id).toBe(first?.call_id);
    expect(repairInput([call(`${id}y`), output(`${id}y`)])[0]).not.toMatchObject({ call_id: first?.call_id });
  });

  test("a call without output gets one right behind it", () => {
    expect(repairInput([call("1"), user("b")])).toEqual([
      call("1"),
      { type: "function_call_output", call_id: "1", output: expect.stringContaining("no output") },
      user("b"),
    ]);
  });

  test("an output without a call becomes a message with its text and images", () => {
    const image = { type: "input_image", image_url: "data:image/png;base64,AA==" };
    expect(repairInput([output("9", "42")])).toEqual([
      { type: "message", role: "user", content: [{ type: "input_text", text: expect.stringContaining("42") }] },
    ]);
    const withImage = { type: "function_call_output", call_id: "9", output: [image] } as InputItem;
    expect(repairInput([withImage])[0]).toMatchObject({ role: "user", content: [{ type: "input_text" }, image] });
  });

  test("an output before its call moves behind it", () => {
    expect(repairInput([output("1"), user("x"), call("1")])).toEqual([user("x"), call("1"), output("1")]);
  });

  test("a repeated call or output is sent once, a different second output is kept as text", () => {
    expect(repairInput([call("1"), call("1"), output("1")])).toEqual([call("1"), output("1")]);
    expect(repairInput([call("1"), output("1"), output("1")])).toEqual([call("1"), output("1")]);
    expect(repairInput([call("1"), output("1", "a"), output("1", "b")])[2]).toMatchObject({ type: "message" });
  });

  test("ids that start anew each turn are told apart, pair by pair", () => {
    const repaired = repairInput([call("0"), output("0", "a"), call("0", "g"), output("0", "b")]) as {
      call_id: string;
      output?: string;
    }[];
    expect(repaired).toHaveLength(4);
    expect(repaired[0]?.call_id).toBe("0");
    expect(repaired[2]?.call_id).not.toBe("0");
    expect(repaired[3]).toMatchObject({ call_id: repaired[2]?.call_id, output: "b" });
  });

  test("an output of the other kind takes the kind of its call", () => {
    const custom: InputItem = { type: "custom_tool_call", call_id: "1", name: "f", input: "x" };
    expect(repairInput([custom, output("1")])[1]).toEqual({
      type: "custom_tool_call_output",
      call_id: "1",
      output: "ok",
    });
  });

  test("any history ends up with every call answered once, behind it, and is then left alone", () => {
    const id = fc.constantFrom("a", "b", "", "long".repeat(30));
    const item = fc.oneof(
      id.map((value) => call(value)),
      fc.tuple(id, fc.string()).map(([value, text]) => output(value, text)),
      fc.constant(user("hi")),
    );
    fc.assert(
      fc.property(fc.array(item, { maxLength: 12 }), (input) => {
        const repaired = repairInput(input);
        const open = new Set<string>();
        for (const each of repaired as { type: string; call_id: string }[]) {
          if (each.type === "function_call") open.add(each.call_id);
          if (each.type === "function_call_output" && !open.delete(each.call_id)) return false;
          if (each.call_id?.length > 64 || each.call_id === "") return false;
        }
        return open.size === 0 && repairInput(repaired) === repaired;
      }),
    );
  });
});
