/** Splits text into model tokens. Synchronous: whoever needs it has loaded it before (`tokens/load.ts`). */
export interface Tokenizer {
  /** Number of tokens of `text`. */
  count(text: string): number;
  /** The longest start of `text` that has at most `tokens` tokens, cut between characters. */
  truncate(text: string, tokens: number): string;
}

/** Used until the real tokenizer is loaded: about four characters a token for text of Latin script, one or two else. */
export const roughTokenizer: Tokenizer = {
  count: roughCount,
  truncate(text, tokens) {
    let low = 0;
    let high = text.length;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (roughCount(text.slice(0, middle)) <= tokens) low = middle;
      else high = middle - 1;
    }
    const last = text.charCodeAt(low - 1);
    return text.slice(0, last >= 0xd800 && last <= 0xdbff ? low - 1 : low);
  },
};

function roughCount(text: string): number {
  let wide = 0;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x2ff) wide++;
  return Math.ceil((text.length - wide) / 4 + wide * 0.8);
}
