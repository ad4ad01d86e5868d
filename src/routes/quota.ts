import { jsonAnswer } from "../answer.ts";
import type { Services } from "../services.ts";
import type { Route } from "./route.ts";

/** `GET /quota`: the plan's windows as last seen in normal traffic; null before the first answer. Costs no upstream call. */
export function quotaRoute({ quota }: Services): Route {
  return {
    method: "GET",
    path: "/v1/quota",
    async handle() {
      const seen = quota.snapshot();
      if (!seen)
        return jsonAnswer({
          object: "quota",
          plan_type: null,
          primary: null,
          secondary: null,
          credits: null,
          limit_reached: null,
          seen_at: null,
        });
      const window = (value: typeof seen.primary) =>
        value
          ? {
              used_percent: value.usedPercent,
              window_minutes: value.windowMinutes ?? null,
              resets_at: value.resetsAt ?? null,
            }
          : null;
      return jsonAnswer({
        object: "quota",
        plan_type: seen.planType ?? null,
        primary: window(seen.primary),
        secondary: window(seen.secondary),
        credits: seen.credits
          ? {
              has_credits: seen.credits.hasCredits,
              unlimited: seen.credits.unlimited,
              balance: seen.credits.balance ?? null,
            }
          : null,
        limit_reached: seen.limitReached ?? null,
        seen_at: Math.floor(seen.seenAt / 1000),
      });
    },
  };
}
