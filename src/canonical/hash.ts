/**
 * 128-bit hash of a text as 32 lower-case hex digits: cyrb-style multiply-xor over UTF-16 units, four 32-bit lanes.
 * Synchronous, which Web Crypto is not. It is no secret-keeper: it names things (short ids, cache keys), and at 128
 * bits a chance collision among a user's ids is out of the question.
 */
export function hash128(text: string): string {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = 0xb7e15162;
  let d = 0xdeadbeef;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    a = b ^ Math.imul(a ^ unit, 597399067);
    b = c ^ Math.imul(b ^ unit, 2869860233);
    c = d ^ Math.imul(c ^ unit, 951274213);
    d = a ^ Math.imul(d ^ unit, 2716044179);
  }
  a = Math.imul(c ^ (a >>> 18), 597399067) ^ text.length;
  b = Math.imul(d ^ (b >>> 22), 2869860233);
  c = Math.imul(a ^ (c >>> 17), 951274213);
  d = Math.imul(b ^ (d >>> 19), 2716044179);
  const mixed = a ^ b ^ c ^ d;
  return [mixed, b ^ mixed, c ^ mixed, d ^ mixed].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
}

/** The hash in the shape of a UUID, for fields where a client of the backend sends one. */
export function hashUuid(text: string): string {
  const hex = hash128(text);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}
