import { isObject } from "../json.ts";

/** A usage window as `GET /quota` and `GET /wham/usage` state it, reduced to what is shown. */
export interface ShownWindow {
  readonly used_percent: number;
  readonly window_minutes: number | null;
  /** Epoch seconds. */
  readonly resets_at: number | null;
}

export interface ShownQuota {
  readonly plan_type: string | null;
  readonly primary: ShownWindow | null;
  readonly secondary: ShownWindow | null;
}

/** The body of `GET /quota`; undefined before upstream has told anything. */
export function readQuota(body: unknown): ShownQuota | undefined {
  if (!isObject(body)) return undefined;
  const primary = readWindow(body.primary);
  const secondary = readWindow(body.secondary);
  if (!primary && !secondary) return undefined;
  return { plan_type: typeof body.plan_type === "string" ? body.plan_type : null, primary, secondary };
}

/** The body of upstream's `GET /wham/usage`. */
export function readUsage(body: unknown): ShownQuota | undefined {
  if (!isObject(body) || !isObject(body.rate_limit)) return undefined;
  const { primary_window, secondary_window } = body.rate_limit;
  return readQuota({
    plan_type: body.plan_type,
    primary: fromUsage(primary_window),
    secondary: fromUsage(secondary_window),
  });
}

function fromUsage(window: unknown): object | undefined {
  if (!isObject(window)) return undefined;
  const seconds = window.limit_window_seconds;
  return {
    used_percent: window.used_percent,
    window_minutes: typeof seconds === "number" ? Math.round(seconds / 60) : null,
    resets_at: window.reset_at,
  };
}

function readWindow(value: unknown): ShownWindow | null {
  if (!isObject(value) || typeof value.used_percent !== "number") return null;
  const { used_percent, window_minutes, resets_at } = value;
  return {
    used_percent,
    window_minutes: typeof window_minutes === "number" ? window_minutes : null,
    resets_at: typeof resets_at === "number" ? resets_at : null,
  };
}

/** `5 h window: 42 % used, opens again in 2 h 10 min`. `now` in epoch milliseconds. */
export function quotaLines(quota: ShownQuota, now: number): string[] {
  return [quota.primary, quota.secondary].flatMap((window) => (window ? [windowLine(window, now)] : []));
}

function windowLine({ used_percent, window_minutes, resets_at }: ShownWindow, now: number): string {
  const name = window_minutes === null ? "window" : `${length(window_minutes)} window`;
  const opens = resets_at === null ? "" : `, opens again in ${duration(resets_at - now / 1000)}`;
  return `${name}: ${Math.round(used_percent)} % used${opens}`;
}

function length(minutes: number): string {
  if (minutes % 1440 === 0) return `${minutes / 1440} day`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${minutes} min`;
}

/** A length of time for people, in its two largest units. */
export function duration(seconds: number): string {
  const minutes = Math.max(0, Math.round(seconds / 60));
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${Math.floor(hours / 24)} days ${hours % 24} h`;
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
}
