import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { collectGarbage } from "../../../runtimes/shared/v8-memory.ts";
import { createIdleMemory } from "../../../src/daemon/idle-memory.ts";
import type { Exchange, ExchangeFacts } from "../../../src/exchange.ts";

const MEGABYTE = 1024 * 1024;

describe("createIdleMemory", () => {
  let resident: number | undefined;
  let trims: number;
  const memory = {
    resident: () => (resident === undefined ? undefined : resident * MEGABYTE),
    async trim() {
      trims++;
      resident = 55;
    },
  };
  const after = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  beforeEach(() => {
    vi.useFakeTimers();
    resident = 50;
    trims = 0;
  });
  afterEach(() => void vi.useRealTimers());

  it("trims when what has made the process grow is over, and once more when it stays so", async () => {
    const idle = createIdleMemory(memory);
    resident = 90;
    for (let i = 0; i < 20; i++) {
      idle.active();
      await after(100);
    }
    expect(trims).toBe(0);
    await after(500);
    expect(trims).toBe(1);
    await after(5_000);
    expect(trims).toBe(1);
    await after(60_000);
    expect([trims, vi.getTimerCount()]).toEqual([2, 0]);
  });

  it("leaves a process alone that has grown by little", async () => {
    const idle = createIdleMemory(memory);
    resident = 60;
    idle.active();
    await after(60_000);
    expect([trims, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it("leaves a process alone that cannot tell its size, and looks again when something happens", async () => {
    const idle = createIdleMemory(memory);
    resident = undefined;
    idle.active();
    await after(60_000);
    expect([trims, vi.getTimerCount()]).toEqual([0, 0]);
    resident = 90;
    idle.active();
    await after(600);
    expect(trims).toBe(1);
  });

  it("measures growth from the last trim, and trims at most every two seconds", async () => {
    const idle = createIdleMemory(memory);
    resident = 90;
    idle.active();
    await after(600);
    expect(trims).toBe(1);
    resident = 90;
    idle.active();
    await after(1_000);
    expect(trims).toBe(1);
    await after(1_500);
    expect(trims).toBe(2);
    await after(3_000);
    resident = 66;
    idle.active();
    await after(8_000);
    expect([trims, vi.getTimerCount()]).toEqual([2, 0]);
  });

  it("measures growth from what a trim has given back later", async () => {
    const idle = createIdleMemory({ ...memory, trim: async () => void trims++ });
    resident = 90;
    idle.active();
    await after(600);
    expect(trims).toBe(1);
    resident = 55;
    idle.active();
    await after(2_300);
    idle.active();
    resident = 80;
    await after(1_000);
    expect(trims).toBe(2);
  });

  it("restrains a busy process, not one at rest, and tightly while a long answer is read", async () => {
    let restrained: boolean[] = [];
    const idle = createIdleMemory({ ...memory, restrain: (tight) => void restrained.push(tight) });
    const work = async (what: () => void): Promise<boolean[]> => {
      restrained = [];
      for (let i = 0; i < 10; i++) {
        what();
        await after(100);
      }
      return restrained;
    };
    expect((await work(idle.active)).slice(0, 3)).toEqual([false, false, false]);
    expect(new Set(await work(idle.long))).toEqual(new Set([true]));
    expect((await work(idle.active)).slice(1, 3)).toEqual([false, false]);
    await after(600);
    restrained = [];
    await after(60_000);
    expect(restrained).toEqual([]);
  });

  it("trims in the middle of a long answer, each time that it has made the process grow", async () => {
    const idle = createIdleMemory(memory);
    const grow = async (by: number): Promise<number> => {
      resident = (resident ?? 0) + by;
      idle.long();
      await after(0);
      return trims;
    };
    expect([await grow(5), await grow(3), await grow(6), await grow(2)]).toEqual([0, 1, 1, 2]);
    // What a trim has freed is given back some time later.
    resident = 45;
    expect([await grow(0), await grow(5), await grow(2)]).toEqual([2, 2, 3]);
    idle.stop();
  });

  it("trims after a long answer by all that it has left", async () => {
    const left = { ...memory, trim: async () => void trims++ };
    const idle = createIdleMemory(left);
    for (const size of [60, 68]) {
      resident = size;
      idle.long();
    }
    await after(0);
    expect(trims).toBe(2);
    await after(600);
    expect(trims).toBe(3);
    idle.stop();
  });

  it("keeps the last small exchanges, and no large one", async () => {
    vi.useRealTimers();
    const idle = createIdleMemory(memory);
    const end = (length: number | undefined, facts: ExchangeFacts = {}): WeakRef<Exchange> => {
      const exchange = { header: () => length?.toString(), facts } as Partial<Exchange> as Exchange;
      idle.ended(exchange);
      return new WeakRef(exchange);
    };
    const usage = { input: 1, cached: 0, output: 100_000, reasoning: 0 };
    const old = end(100);
    const large = [end(1024 * 1024), end(undefined), end(100, { usage })];
    const small = Array.from({ length: 8 }, () => end(100));
    await new Promise((resolve) => setTimeout(resolve, 0));
    collectGarbage();
    expect([old, ...large].map((kept) => kept.deref())).toEqual([undefined, undefined, undefined, undefined]);
    expect(small.map((kept) => kept.deref()?.header("content-length"))).toEqual(Array(8).fill("100"));
    idle.stop();
  });

  it("does nothing any more when stopped, also in the middle of a trim", async () => {
    let finish = (): void => {};
    const slow = { ...memory, trim: () => new Promise<void>((resolve) => (finish = resolve)) };
    const idle = createIdleMemory(slow);
    resident = 90;
    idle.active();
    await after(600);
    idle.stop();
    finish();
    idle.active();
    await after(60_000);
    expect(vi.getTimerCount()).toBe(0);
  });
});
