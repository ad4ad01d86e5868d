import { isObject, type JsonObject } from "../json.ts";
import type { Log } from "../observability/log.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { Clock, HeaderBag } from "../platform.ts";
import type { QuotaSnapshot, QuotaWindow } from "./quota.ts";

/** Learns the plan's windows from traffic that flows anyway. */
export interface QuotaTracker {
  /** Rate-limit headers of any upstream answer, `x-codex-primary-used-percent` and its family. */
  seeHeaders(headers: HeaderBag): void;
  /** A `codex.rate_limits` event. */
  seeEvent(event: JsonObject): void;
  /** The windows as last seen; undefined before the first answer. */
  snapshot(): QuotaSnapshot | undefined;
}

export interface QuotaTrackerDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Percent of a window at which one warning is logged; 0: never. */
  readonly warningPercent: number;
}

export function createQuotaTracker(deps: QuotaTrackerDeps): QuotaTracker {
  let latest: QuotaSnapshot | undefined;
  const warned = new Map<string, number | undefined>();

  function accept(snapshot: QuotaSnapshot): void {
    latest = snapshot;
    deps.metrics.quotaSeen(snapshot);
    warn("primary", snapshot.primary);
    warn("secondary", snapshot.secondary);
  }

  /** One warning a window and period. */
  function warn(name: string, window: QuotaWindow | undefined): void {
    if (!window || deps.warningPercent <= 0) return;
    if (window.usedPercent < deps.warningPercent) {
      warned.delete(name);
      return;
    }
    if (warned.has(name) && isSamePeriod(warned.get(name), window.resetsAt)) return;
    warned.set(name, window.resetsAt);
    deps.log.write("quota", "warning", "quota_threshold", {
      window: name,
      used_percent: window.usedPercent,
      window_minutes: window.windowMinutes,
      resets_at: window.resetsAt,
    });
  }

  return {
    seeHeaders(headers) {
      if (!headers.has("x-codex-primary-used-percent") && !headers.has("x-codex-secondary-used-percent")) return;
      const primary = windowOf(headers, "primary", deps.clock.now());
      const secondary = windowOf(headers, "secondary", deps.clock.now());
      if (!primary && !secondary) return;
      accept({
        planType: headers.get("x-codex-plan-type") ?? latest?.planType,
        primary,
        secondary,
        credits: creditsOf(headers) ?? latest?.credits,
        limitReached: headers.has("x-codex-rate-limit-reached-type") || undefined,
        seenAt: deps.clock.now(),
      });
    },
    seeEvent(event) {
      const limits = isObject(event.rate_limits) ? event.rate_limits : undefined;
      if (!limits) return;
      accept({
        planType: textOf(event.plan_type) ?? latest?.planType,
        primary: windowIn(limits.primary, deps.clock.now()),
        secondary: windowIn(limits.secondary, deps.clock.now()),
        credits: creditsIn(event.credits) ?? latest?.credits,
        limitReached: typeof limits.limit_reached === "boolean" ? limits.limit_reached : undefined,
        seenAt: deps.clock.now(),
      });
    },
    snapshot: () => latest,
  };
}

/** Upstream's reset times of one period differ by a second or so. */
function isSamePeriod(one: number | undefined, other: number | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return Math.abs(one - other) < 300;
}

function windowOf(headers: HeaderBag, name: string, now: number): QuotaWindow | undefined {
  const read = (field: string) => numberOf(headers.get(`x-codex-${name}-${field}`));
  return makeWindow(read("used-percent"), read("window-minutes"), read("reset-at"), read("reset-after-seconds"), now);
}

function windowIn(value: unknown, now: number): QuotaWindow | undefined {
  if (!isObject(value)) return undefined;
  const read = (field: string) => numberOf(value[field]);
  return makeWindow(read("used_percent"), read("window_minutes"), read("reset_at"), read("reset_after_seconds"), now);
}

/** A free plan states a second window of no length: there is none. */
function makeWindow(
  usedPercent: number | undefined,
  windowMinutes: number | undefined,
  resetsAt: number | undefined,
  resetsIn: number | undefined,
  now: number,
): QuotaWindow | undefined {
  if (usedPercent === undefined || windowMinutes === 0) return undefined;
  const at = resetsAt ?? (resetsIn === undefined ? undefined : Math.round(now / 1000 + resetsIn));
  return { usedPercent, windowMinutes, resetsAt: at };
}

function creditsOf(headers: HeaderBag): QuotaSnapshot["credits"] {
  const has = booleanOf(headers.get("x-codex-credits-has-credits"));
  if (has === undefined) return undefined;
  return {
    hasCredits: has,
    unlimited: booleanOf(headers.get("x-codex-credits-unlimited")) ?? false,
    balance: headers.get("x-codex-credits-balance") ?? undefined,
  };
}

function creditsIn(value: unknown): QuotaSnapshot["credits"] {
  if (!isObject(value) || typeof value.has_credits !== "boolean") return undefined;
  const balance = value.balance;
  return {
    hasCredits: value.has_credits,
    unlimited: value.unlimited === true,
    balance: typeof balance === "number" ? String(balance) : textOf(balance),
  };
}

/** Upstream writes `true` or `True`. */
function booleanOf(text: string | null): boolean | undefined {
  return text === null ? undefined : text.toLowerCase() === "true";
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "string" || value.trim() === "") return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
