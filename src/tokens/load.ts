import type { Tokenizer } from "./tokenizer.ts";

/**
 * Loads the o200k tokenizer of today's OpenAI models. Its ranks are megabytes, so it is imported on first need only.
 * Special-token texts in a prompt are counted as plain text: they are data here.
 */
export async function loadTokenizer(): Promise<Tokenizer> {
  const o200k = await import("gpt-tokenizer/encoding/o200k_base");
  const plain = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };
  return {
    count: (text) => o200k.countTokens(text, plain),
    truncate(text, tokens) {
      const all = o200k.encode(text, plain);
      if (all.length <= tokens) return text;
      // A token may end inside a character; what does not decode to a start of the text is left out.
      for (let kept = tokens; kept > 0; kept--) {
        const start = o200k.decode(all.slice(0, kept));
        if (text.startsWith(start)) return start;
      }
      return "";
    },
  };
}
