import { describe, expect, test } from "vitest";
import type { Log } from "../../../src/observability/log.ts";
import { createQuotaTracker } from "../../../src/upstream/quota-tracker.ts";
import { fakeClock, fakeMetrics } from "./support.ts";

function tracker(warningPercent = 90) {
  const warnings: unknown[] = [];
  const log: Log = { write: (_, __, event, fields) => void warnings.push([event, fields]), debugEnabled: false };
  return { warnings, quota: createQuotaTracker({ clock: fakeClock(), log, metrics: fakeMetrics(), warningPercent }) };
}

function headers(percent: string, resetsAt = "1795386574"): Headers {
  return new Headers({
    "x-codex-primary-used-percent": percent,
    "x-codex-primary-window-minutes": "300",
    "x-codex-primary-reset-at": resetsAt,
    "x-codex-secondary-used-percent": "40",
    "x-codex-secondary-window-minutes": "10080",
    "x-codex-secondary-reset-after-seconds": "60",
    "x-codex-plan-type": "plus",
    "x-codex-credits-has-credits": "True",
    "x-codex-credits-unlimited": "False",
    "x-codex-credits-balance": "10",
  });
}

describe("createQuotaTracker", () => {
  test("reads the header family", () => {
    const { quota } = tracker();
    expect(quota.snapshot()).toBeUndefined();
    quota.seeHeaders(headers("12.5"));
    expect(quota.snapshot()).toEqual({
      planType: "plus",
      primary: { usedPercent: 12.5, windowMinutes: 300, resetsAt: 1795386574 },
      secondary: { usedPercent: 40, windowMinutes: 10080, resetsAt: 1795379060 },
      credits: { hasCredits: true, unlimited: false, balance: "10" },
      limitReached: undefined,
      seenAt: 1_795_379_000_000,
    });
  });

  test("reads codex.rate_limits events", () => {
    const { quota } = tracker();
    quota.seeEvent({
      type: "codex.rate_limits",
      plan_type: "plus",
      rate_limits: {
        allowed: true,
        limit_reached: false,
        primary: { used_percent: 12, window_minutes: 300, reset_at: 1900000000 },
        secondary: { used_percent: 40, window_minutes: 10080, reset_at: 1900000000 },
      },
      credits: { has_credits: true, unlimited: false, balance: "10" },
    });
    expect(quota.snapshot()).toMatchObject({ planType: "plus", limitReached: false, primary: { usedPercent: 12 } });
  });

  test("answers without the family, and broken values, change nothing", () => {
    const { quota } = tracker();
    quota.seeHeaders(headers("12"));
    quota.seeHeaders(new Headers({ "content-type": "x", "x-codex-primary-used-percent": "many" }));
    quota.seeEvent({ type: "codex.rate_limits" });
    expect(quota.snapshot()?.primary?.usedPercent).toBe(12);
  });

  test("a window of no length is none", () => {
    const { quota } = tracker();
    const free = headers("1");
    free.set("x-codex-secondary-window-minutes", "0");
    quota.seeHeaders(free);
    expect(quota.snapshot()?.secondary).toBeUndefined();
  });

  test("warns once a window and period", () => {
    const { quota, warnings } = tracker(80);
    for (const percent of ["79", "80", "95"]) quota.seeHeaders(headers(percent));
    quota.seeHeaders(headers("96", "1795386575"));
    expect(warnings).toHaveLength(1);
    quota.seeHeaders(headers("85", "1795404574"));
    expect(warnings).toHaveLength(2);
    const silent = tracker(0);
    silent.quota.seeHeaders(headers("100"));
    expect(silent.warnings).toEqual([]);
  });
});
