import type { UpstreamAnswer } from "../upstream/send.ts";

/** Upstream's headers that clients may see, and what the request lost on its way. */
export function answerHeaders(answer: UpstreamAnswer): Record<string, string> {
  if (answer.dropped.length === 0) return answer.headers;
  return { ...answer.headers, "x-codex-proxy-dropped": answer.dropped.map((field) => field.name).join(",") };
}
