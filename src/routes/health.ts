import { jsonAnswer } from "../answer.ts";
import type { Services } from "../services.ts";
import type { Route } from "./route.ts";

/** `GET /health`: the server runs. Touches neither credentials nor upstream. */
export function healthRoute({ config, clock, startedAt }: Pick<Services, "config" | "clock" | "startedAt">): Route {
  return {
    method: "GET",
    path: "/health",
    handle: async () =>
      jsonAnswer({
        ok: true,
        version: config.version,
        uptime_seconds: (clock.now() - startedAt) / 1000,
      }),
  };
}

/** `GET /`: who answers here. Claude Code knocks at it before its first request. */
export function rootRoute({ config }: Services): Route {
  return {
    method: "GET",
    path: "/",
    handle: async () => jsonAnswer({ name: "codex-api-proxy", version: config.version }),
  };
}
