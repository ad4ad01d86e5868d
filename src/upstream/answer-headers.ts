import type { HeaderBag } from "../platform.ts";

/** Upstream headers that may reach the client of a translated answer (beside the `x-codex-` family). */
const ANSWER = new Set(["x-models-etag", "x-reasoning-included", "openai-model", "x-oai-request-id"]);
/** … and of an answer that is handed on untouched. */
const FORWARDED = new Set([
  ...ANSWER,
  "content-type",
  "content-disposition",
  "content-range",
  "accept-ranges",
  "etag",
  "last-modified",
  "retry-after",
  "x-should-retry",
]);
const FORWARDED_FAMILIES = ["x-codex-", "x-ratelimit-", "openai-"];

/**
 * Headers of a translated answer that are safe to hand to the client: quota, routing state and the true model. Cookies,
 * server names and everything else stay here.
 */
export function answerHeaders(headers: HeaderBag): Record<string, string> {
  return pick(headers, (name) => ANSWER.has(name) || name.startsWith("x-codex-"));
}

/** Headers of a forwarded answer that are safe to hand to the client. Its bytes are decoded, so no encoding or length. */
export function forwardedHeaders(headers: HeaderBag): Record<string, string> {
  return pick(
    headers,
    (name) =>
      FORWARDED.has(name) ||
      (FORWARDED_FAMILIES.some((family) => name.startsWith(family)) &&
        name !== "openai-organization" &&
        name !== "openai-project"),
  );
}

function pick(headers: HeaderBag, wanted: (name: string) => boolean): Record<string, string> {
  const picked: Record<string, string> = {};
  headers.forEach((value, name) => {
    if (wanted(name)) picked[name] = value;
  });
  return picked;
}
