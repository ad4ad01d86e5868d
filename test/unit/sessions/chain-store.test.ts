import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBoundedMap } from "../../../src/sessions/bounded-map.ts";
import { createChainStore } from "../../../src/sessions/chain-store.ts";
import { sizeOf } from "../../../src/sessions/size.ts";

const clockAt = (start = 0) => {
  const clock = { ms: start, now: () => clock.ms };
  return clock;
};

describe("createBoundedMap", () => {
  const build = (maxEntries: number, ttlSeconds = 60, clock = clockAt()) => {
    const removed: number[] = [];
    const map = createBoundedMap<number>(
      { clock, maxEntries, ttlSeconds },
      { held: () => 0, removed: (v) => removed.push(v) },
    );
    return { map, removed, clock };
  };

  it("drops the least recently used entry", () => {
    const { map, removed } = build(2);
    map.set("a", 1);
    map.set("b", 2);
    map.get("a");
    map.set("c", 3);
    expect([map.get("a"), map.get("b"), map.get("c")]).toEqual([1, undefined, 3]);
    expect(removed).toEqual([2]);
  });

  it("forgets what has not been used for its lifetime, and keeps what has", () => {
    const { map, clock } = build(10, 60);
    map.set("a", 1);
    map.set("b", 2);
    clock.ms = 59_999;
    expect(map.get("a")).toBe(1);
    clock.ms = 60_000;
    expect([map.get("a"), map.get("b"), map.size]).toEqual([1, undefined, 1]);
    clock.ms = 120_000;
    expect(map.get("a")).toBeUndefined();
  });

  it("keeps nothing when it may hold nothing", () => {
    const { map } = build(0);
    map.set("a", 1);
    expect(map.get("a")).toBeUndefined();
  });

  it("replaces and deletes", () => {
    const { map, removed } = build(5);
    map.set("a", 1);
    map.set("a", 2);
    expect([map.get("a"), map.delete("a"), map.delete("a"), map.get("a")]).toEqual([2, true, false, undefined]);
    expect(removed).toEqual([1, 2]);
  });
});

describe("createChainStore", () => {
  const bounds = (over = {}) => ({ clock: clockAt(), maxEntries: 100, ttlSeconds: 60, ...over });

  it("gives a turn's whole lineage, oldest first", () => {
    const store = createChainStore<string>(bounds());
    store.put("1", "a");
    store.put("2", "b", "1");
    store.put("3", "c", "2");
    store.put("2b", "x", "1");
    expect(store.lineage("3")).toEqual(["a", "b", "c"]);
    expect(store.lineage("2b")).toEqual(["a", "x"]);
    expect(store.lineage("9")).toBeUndefined();
  });

  it("keeps a history while its newest turn is there", () => {
    const store = createChainStore<string>(bounds({ maxEntries: 1 }));
    store.put("1", "a");
    store.put("2", "b", "1");
    expect(store.get("1")).toBeUndefined();
    expect(store.lineage("2")).toEqual(["a", "b"]);
  });

  it("does not keep a turn whose predecessor has gone", () => {
    const store = createChainStore<string>(bounds());
    store.put("2", "b", "1");
    expect(store.get("2")).toBeUndefined();
  });

  it("holds each turn once, however long the conversation", () => {
    let held = 0;
    const store = createChainStore<string>(bounds({ maxEntries: 1000, maxBytes: 200_000 }), {
      added: () => held++,
      dropped: () => held--,
    });
    const turn = "x".repeat(1000);
    for (let index = 0; index < 150; index++)
      store.put(String(index), turn, index === 0 ? undefined : String(index - 1));
    expect(held).toBe(150);
    expect(store.lineage("149")).toHaveLength(150);
  });

  it("never holds more than its bounds, whatever happens, and releases all that it took", () => {
    const step = fc.record({
      id: fc.nat(20),
      from: fc.option(fc.nat(20)),
      size: fc.nat(400),
      action: fc.nat(9),
      wait: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const clock = clockAt();
        const live = new Map<string, number>();
        const store = createChainStore<string>(
          { clock, maxEntries: 8, ttlSeconds: 60, maxBytes: 1500 },
          { added: (turn) => live.set(turn, turn.length), dropped: (turn) => live.delete(turn) },
        );
        steps.forEach((it, index) => {
          clock.ms += it.wait * 1000;
          if (it.action === 0) store.delete(String(it.id));
          else if (it.action < 3) store.get(String(it.id));
          else
            store.put(String(it.id), `${index}:${"x".repeat(it.size)}`, it.from === null ? undefined : String(it.from));
          let bytes = 0;
          for (const turn of live.keys()) bytes += sizeOf(turn);
          expect(bytes).toBeLessThanOrEqual(1500);
        });
        clock.ms += 61_000;
        store.get("none");
        expect(live.size).toBe(0);
      }),
    );
  });
});

describe("sizeOf", () => {
  it.each([
    ["x".repeat(1000), 1000],
    [["a".repeat(500), { key: "b".repeat(500) }], 1000],
    [null, 0],
  ])("is near the length of the text", (value, least) => {
    expect(sizeOf(value)).toBeGreaterThanOrEqual(least);
    expect(sizeOf(value)).toBeLessThan(least + 200);
  });
});
