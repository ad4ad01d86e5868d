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

  it("restrains a busy process, not one at rest", async () => {
    let restrained = 0;
    const idle = createIdleMemory({ ...memory, restrain: () => void restrained++ });
    for (let i = 0; i < 10; i++) {
      idle.active();
      await after(100);
    }
    expect(restrained).toBeGreaterThanOrEqual(3);
    await after(600);
    const before = restrained;
    await after(60_000);
    expect(restrained).toBe(before);
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
