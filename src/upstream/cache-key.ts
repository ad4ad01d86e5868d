import { hashUuid } from "../canonical/hash.ts";
import type { CanonicalRequest, ContentPart, InputItem } from "../canonical/request.ts";

/** Upstream refuses longer keys. */
const LONGEST_KEY = 64;
/** A conversation's start is told by this much of its first texts; more would only cost time. */
const START_CHARS = 4_096;

/**
 * The key under which upstream caches the prompt's prefix: the client's own, else one made from the identity of the
 * conversation, else one from how it starts (instructions and first user text), which stays the same over its turns.
 */
export function cacheKeyOf(request: CanonicalRequest): string {
  const given = request.body.prompt_cache_key;
  if (typeof given === "string" && given !== "") return given.length <= LONGEST_KEY ? given : hashUuid(given);
  if (request.sessionKey !== undefined && request.sessionKey !== "") return hashUuid(request.sessionKey);
  return hashUuid(startOf(request));
}

function startOf(request: CanonicalRequest): string {
  const { instructions, input, model } = request.body;
  const parts = [model, (instructions ?? "").slice(0, START_CHARS)];
  for (const item of input) {
    const text = textOf(item);
    if (text === undefined) continue;
    parts.push(text);
    if ((item as { role?: unknown }).role === "user") break;
  }
  return JSON.stringify(parts);
}

function textOf(item: InputItem): string | undefined {
  if (item.type !== "message") return undefined;
  const { content } = item as { content: string | ContentPart[] };
  if (typeof content === "string") return content.slice(0, START_CHARS);
  if (!Array.isArray(content)) return undefined;
  return content
    .map((part) => ("text" in part && typeof part.text === "string" ? part.text.slice(0, START_CHARS) : ""))
    .join("\n");
}
