import type { RankTable } from "./rank-table.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Longest run of bytes that is merged as one, since merging is quadratic: only a word without end is cut by it. */
const MAX_RUN = 512;
/** UTF-8 bytes that a UTF-16 unit has at most. */
const MOST_BYTES_A_UNIT = 3;

/**
 * Byte pair encoding: text is split into words, and within each the pair of neighbours with the lowest rank is merged until
 * no pair is a token.
 * @param pattern finds the words; global and with the `u` flag.
 */
export function createBytePairTokenizer(table: RankTable, pattern: RegExp): Tokenizer {
  const utf8 = new TextEncoder();
  let bytes = new Uint8Array(1024);
  /** Starts of the parts of a run, one more than there are parts; rank of each part joined with the next. */
  const starts = new Uint32Array(MAX_RUN + 1);
  const ranks = new Int32Array(MAX_RUN + 1);

  function encode(word: string): number {
    if (word.length * MOST_BYTES_A_UNIT > bytes.length) bytes = new Uint8Array(word.length * MOST_BYTES_A_UNIT);
    return utf8.encodeInto(word, bytes).written;
  }

  /** Tokens of a run; their starts are then in `starts`. */
  function merge(from: number, to: number): number {
    starts[0] = from;
    starts[1] = to;
    if (table.find(bytes, from, to) >= 0) return 1;
    let parts = to - from;
    const pair = (part: number): number =>
      part + 2 > parts ? -1 : table.find(bytes, starts[part] as number, starts[part + 2] as number);
    for (let part = 0; part <= parts; part++) starts[part] = from + part;
    for (let part = 0; part < parts; part++) ranks[part] = pair(part);
    for (;;) {
      let lowest = -1;
      for (let part = 0; part + 1 < parts; part++) {
        const rank = ranks[part] as number;
        if (rank >= 0 && (lowest < 0 || rank < (ranks[lowest] as number))) lowest = part;
      }
      if (lowest < 0) return parts;
      starts.copyWithin(lowest + 1, lowest + 2, parts + 1);
      ranks.copyWithin(lowest + 1, lowest + 2, parts);
      parts--;
      ranks[lowest] = pair(lowest);
      if (lowest > 0) ranks[lowest - 1] = pair(lowest - 1);
    }
  }

  function countWord(word: string): number {
    const size = encode(word);
    let tokens = 0;
    for (let from = 0; from < size; from += MAX_RUN) tokens += merge(from, Math.min(from + MAX_RUN, size));
    return tokens;
  }

  /** Bytes of the first `tokens` tokens of a word that has more. */
  function bytesOf(word: string, tokens: number): number {
    const size = encode(word);
    let left = tokens;
    for (let from = 0; from < size; from += MAX_RUN) {
      const found = merge(from, Math.min(from + MAX_RUN, size));
      if (found > left) return starts[left] as number;
      left -= found;
    }
    return size;
  }

  return {
    count(text) {
      const words = new RegExp(pattern);
      let tokens = 0;
      for (let match = words.exec(text); match !== null; match = words.exec(text)) tokens += countWord(match[0]);
      return tokens;
    },
    truncate(text, tokens) {
      const words = new RegExp(pattern);
      let left = tokens;
      for (let match = words.exec(text); match !== null; match = words.exec(text)) {
        const [word] = match;
        const own = countWord(word);
        if (own > left) return text.slice(0, match.index + unitsWithin(word, bytesOf(word, left)));
        left -= own;
      }
      return text;
    },
  };
}

/** UTF-16 units of the whole characters at the start of `word` that take no more than `bytes` bytes. */
function unitsWithin(word: string, bytes: number): number {
  let units = 0;
  let size = 0;
  for (const character of word) {
    const code = character.codePointAt(0) as number;
    size += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (size > bytes) return units;
    units += character.length;
  }
  return units;
}
