const LF = 10;
const SPACE = 32;
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** A vocabulary of byte strings. The rank of one is its place in the list: what is merged first has the lowest. */
export interface RankTable {
  /** Rank of `bytes[from..to)`; -1 when it is no token. */
  find(bytes: Uint8Array, from: number, to: number): number;
}

/**
 * Reads a tiktoken rank file: one token a line in base64, a space, its rank, which counts lines from 0.
 *
 * All tokens lie in one array of bytes behind a hash table of numbers: 200,000 strings or arrays would take ten times
 * the memory.
 */
export function readRankTable(file: string): RankTable {
  const count = countLines(file);
  const bytes = new Uint8Array(Math.ceil((file.length * 3) / 4));
  const starts = new Uint32Array(count + 1);
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(count * 2)));
  const mask = slots.length - 1;
  const digits = base64Digits();
  let size = 0;
  let at = 0;
  for (let rank = 0; rank < count; rank++) {
    let bits = 0;
    let held = 0;
    for (let code = file.charCodeAt(at++); code !== SPACE; code = file.charCodeAt(at++)) {
      const digit = digits[code] as number;
      if (digit > 63) continue;
      bits = ((bits << 6) | digit) & 0xffff;
      held += 6;
      if (held >= 8) {
        held -= 8;
        bytes[size++] = bits >> held;
      }
    }
    at = file.indexOf("\n", at) + 1;
    starts[rank + 1] = size;
    let slot = hash(bytes, starts[rank] as number, size) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = rank + 1;
  }
  const tokens = bytes.slice(0, size);

  function isToken(rank: number, given: Uint8Array, from: number, length: number): boolean {
    const start = starts[rank] as number;
    if ((starts[rank + 1] as number) - start !== length) return false;
    for (let each = 0; each < length; each++) if (tokens[start + each] !== given[from + each]) return false;
    return true;
  }

  return {
    find(given, from, to) {
      for (let slot = hash(given, from, to) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
        const rank = (slots[slot] as number) - 1;
        if (isToken(rank, given, from, to - from)) return rank;
      }
      return -1;
    },
  };
}

function countLines(file: string): number {
  let count = 0;
  for (let at = 0; at < file.length; at++) if (file.charCodeAt(at) === LF) count++;
  return count;
}

function base64Digits(): Uint8Array {
  const digits = new Uint8Array(128).fill(255);
  for (let digit = 0; digit < BASE64.length; digit++) digits[BASE64.charCodeAt(digit)] = digit;
  return digits;
}

/** FNV-1a with a last mix, since neighbours in the table must not come from neighbours in the alphabet. */
function hash(bytes: Uint8Array, from: number, to: number): number {
  let value = 0x811c9dc5;
  for (let at = from; at < to; at++) value = Math.imul(value ^ (bytes[at] as number), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}
