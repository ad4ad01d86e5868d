import { describe, expect, it } from "vitest";
import { isExpired, isRefreshDue } from "../../../src/credentials/freshness.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const inSeconds = (seconds: number) => NOW / 1000 + seconds;
const daysAgo = (days: number) => NOW - days * 86_400_000;

describe("isRefreshDue", () => {
  it.each([
    [240, undefined, true],
    [300, undefined, true],
    [301, undefined, false],
    [600, undefined, false],
    [-5, undefined, true],
    [600, 21, false],
    [undefined, 2, false],
    [undefined, 8, false],
    [undefined, 8.01, true],
    [undefined, 21, true],
    [undefined, undefined, false],
  ])("exp in %s s, last refresh %s days ago: %s", (seconds, days, due) => {
    const expiresAt = seconds === undefined ? undefined : inSeconds(seconds);
    const lastRefresh = days === undefined ? undefined : daysAgo(days);
    expect(isRefreshDue({ expiresAt, lastRefresh }, NOW)).toBe(due);
  });
});

describe("isExpired", () => {
  it("takes a token without a readable exp for valid", () => {
    expect(isExpired({ expiresAt: undefined, lastRefresh: daysAgo(30) }, NOW)).toBe(false);
    expect(isExpired({ expiresAt: inSeconds(1), lastRefresh: undefined }, NOW)).toBe(false);
    expect(isExpired({ expiresAt: inSeconds(0), lastRefresh: undefined }, NOW)).toBe(true);
  });
});
