import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createIdleMemory } from "../../../src/daemon/idle-memory.ts";

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

  it("trims once when what has made the process grow is over", async () => {
    const idle = createIdleMemory(memory);
    resident = 90;
    for (let i = 0; i < 20; i++) {
      idle.active();
      await after(100);
    }
    expect(trims).toBe(0);
    await after(500);
    expect(trims).toBe(1);
    await after(60_000);
    expect([trims, vi.getTimerCount()]).toEqual([1, 0]);
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
    await after(3_000);
    expect([trims, vi.getTimerCount()]).toEqual([2, 0]);
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
