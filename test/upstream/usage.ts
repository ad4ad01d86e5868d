import { asString, type JsonObject } from "./json.ts";
import type { Accepted } from "./rules-seat.ts";

const BYTES_PER_TOKEN = 4;
/** Tokens are cached in blocks of this many. */
const CACHE_BLOCK = 32;
const REASONING_TOKENS = 64;

/** Counts tokens from real lengths, and cached ones from the prefix shared with the last request of the same cache key. */
export class UsageMeter {
  #prompts = new Map<string, string>();

  /** Usage of one answer. Remembers the prompt. */
  measure(request: Accepted, items: readonly JsonObject[]): JsonObject {
    const prompt = promptOf(request);
    const key = `${request.binding}\n${request.model.slug}\n${asString(request.body.prompt_cache_key)}`;
    const cached = sharedBlocks(this.#prompts.get(key) ?? "", prompt);
    this.#prompts.set(key, prompt);
    const reasoning = items.filter((item) => item.type === "reasoning").length * REASONING_TOKENS;
    const input_tokens = promptTokens(request);
    const output_tokens =
      reasoning + Math.max(1, estimateTokens(JSON.stringify(items.filter((item) => item.type !== "reasoning"))));
    return {
      input_tokens,
      input_tokens_details: { cached_tokens: Math.min(cached, input_tokens) },
      output_tokens,
      output_tokens_details: { reasoning_tokens: reasoning },
      total_tokens: input_tokens + output_tokens,
    };
  }

  reset(): void {
    this.#prompts.clear();
  }
}

/** Tokens of a request's prompt; bytes of images and files are not text and count little. */
export function promptTokens(request: Accepted): number {
  return estimateTokens(promptOf(request).replace(/;base64,[A-Za-z0-9+/=]+/g, ""));
}

function promptOf(request: Accepted): string {
  return JSON.stringify([request.body.instructions ?? "", request.tools, ...request.input]);
}

function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

function sharedBlocks(before: string, now: string): number {
  let length = 0;
  while (length < before.length && length < now.length && before[length] === now[length]) length++;
  const tokens = Math.floor(length / BYTES_PER_TOKEN);
  return tokens - (tokens % CACHE_BLOCK);
}
