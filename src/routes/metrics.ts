import { jsonAnswer } from "../answer.ts";
import type { Services } from "../services.ts";
import type { Route } from "./route.ts";

/** `GET /metrics`: counters as JSON. */
export function metricsRoute({ metrics }: Services): Route {
  return { method: "GET", path: "/metrics", handle: async () => jsonAnswer(metrics.toJson()) };
}

/** `GET /metrics/prometheus`: the same and the histograms as Prometheus text, format 0.0.4. */
export function prometheusRoute({ metrics }: Services): Route {
  return {
    method: "GET",
    path: "/metrics/prometheus",
    handle: async () => ({
      status: 200,
      headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
      body: await metrics.toPrometheus(),
    }),
  };
}
