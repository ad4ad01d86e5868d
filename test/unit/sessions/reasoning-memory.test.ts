import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { OutputItem } from "../../../src/canonical/event.ts";
import type { InputItem } from "../../../src/canonical/request.ts";
import { createReasoningMemory } from "../../../src/sessions/reasoning-memory.ts";

const memory = (over = {}) => {
  const clock = { now: () => 0 };
  return createReasoningMemory({ clock, maxEntries: 100, ttlSeconds: 60, ...over });
};
const thought = (name: string): OutputItem & InputItem =>
  ({ type: "reasoning", summary: [], encrypted_content: name }) as OutputItem & InputItem;
const call = (id: string): OutputItem & InputItem => ({
  type: "function_call",
  call_id: id,
  name: "f",
  arguments: "{}",
});
const output = (id: string): InputItem => ({ type: "function_call_output", call_id: id, output: "ok" });
const says = (role: "user" | "assistant", text: string): InputItem => ({ type: "message", role, content: text });
const told = (text: string): OutputItem => ({
  type: "message",
  role: "assistant",
  content: [{ type: "output_text", text }],
});
const outline = (items: readonly InputItem[]) =>
  items.map((item) => item.encrypted_content ?? item.call_id ?? (item as { content?: unknown }).content);

describe("createReasoningMemory", () => {
  it("puts reasoning back before its call", () => {
    const own = memory();
    own.remember([{ ...thought("r1"), id: "rs_1" } as OutputItem, call("c1")]);
    const restored = own.restore([says("user", "go"), call("c1"), output("c1")]);
    expect(restored[1]).toEqual({ type: "reasoning", summary: [], encrypted_content: "r1" });
    expect(outline(restored)).toEqual(["go", "r1", "c1", "c1"]);
  });

  it.each([
    ["call_0123456789abcdef01234567", "call0123456789abcdef01234567"],
    ["call_0123456789abcdef0123456789abcdef012345", "call_0123456789abcdef0123456789abcdef0123"],
  ])("knows the call %s when a program sends it back as %s", (given, id) => {
    const own = memory();
    own.remember([thought("r1"), call(given)]);
    expect(outline(own.restore([call(id), output(id)]))).toEqual(["r1", id, id]);
  });

  it("tells calls apart whose ids hold no letters", () => {
    const own = memory();
    own.remember([thought("r1"), call("--")]);
    expect(outline(own.restore([call("_"), call("--")]))).toEqual(["_", "r1", "--"]);
  });

  it("puts it before the first of calls side by side, once", () => {
    const own = memory();
    own.remember([thought("r1"), call("c1"), call("c2")]);
    expect(outline(own.restore([call("c1"), call("c2"), output("c1"), output("c2")]))).toEqual([
      "r1",
      "c1",
      "c2",
      "c1",
      "c2",
    ]);
  });

  it("puts what came before the text before the text", () => {
    const own = memory();
    own.remember([thought("r1"), told("I will look"), thought("r2"), call("c1")]);
    expect(outline(own.restore([says("user", "go"), says("assistant", "I will look"), call("c1")]))).toEqual([
      "go",
      "r1",
      "I will look",
      "r2",
      "c1",
    ]);
  });

  it("leaves reasoning alone that the client kept", () => {
    const own = memory();
    own.remember([thought("r1"), call("c1")]);
    const input = [thought("r1"), call("c1")];
    expect(own.restore(input)).toBe(input);
  });

  it("gives the same array when it knows nothing", () => {
    const input = [says("user", "hi"), call("c9")];
    expect(memory().restore(input)).toBe(input);
  });

  it("does not remember reasoning without its encrypted form", () => {
    const own = memory();
    own.remember([{ type: "reasoning", summary: [] }, call("c1")]);
    const input = [call("c1")];
    expect(own.restore(input)).toBe(input);
  });

  it("forgets by number and by size", () => {
    const few = memory({ maxEntries: 1 });
    few.remember([thought("r1"), call("c1")]);
    few.remember([thought("r2"), call("c2")]);
    expect(outline(few.restore([call("c1"), call("c2")]))).toEqual(["c1", "r2", "c2"]);
    const small = memory({ maxBytes: 3000 });
    small.remember([thought("x".repeat(2000)), call("c1")]);
    small.remember([thought("y".repeat(2000)), call("c2")]);
    expect(small.restore([call("c1"), call("c2")])).toHaveLength(3);
  });

  it("restores to the same prefix at every turn", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.constantFrom("think", "say", "call"), { maxLength: 5 }), { maxLength: 6 }),
        (turns) => {
          const own = memory();
          const history: InputItem[] = [];
          let before: InputItem[] = [];
          turns.forEach((turn, at) => {
            const items = turn.map((kind, index): OutputItem => {
              if (kind === "think") return thought(`r${at}.${index}`);
              return kind === "say" ? told(`t${at}.${index}`) : call(`c${at}.${index}`);
            });
            own.remember(items);
            history.push(says("user", `u${at}`));
            for (const item of items) if (item.type !== "reasoning") history.push(item as InputItem);
            const restored = own.restore([...history]);
            expect(restored.slice(0, before.length)).toEqual(before);
            before = restored;
          });
        },
      ),
    );
  });
});
