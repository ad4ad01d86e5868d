import { createParser } from "eventsource-parser";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSseDecoder, MAX_EVENT_LENGTH } from "../../../src/sse/decode.ts";

function decode(bytes: Uint8Array, cut: number): string[] {
  const out: string[] = [];
  const decoder = createSseDecoder((data) => out.push(data));
  for (let at = 0; at < bytes.length; at += cut) decoder.push(bytes.subarray(at, at + cut));
  decoder.end();
  return out;
}
const bytesOf = (text: string) => new TextEncoder().encode(text);

const cases: [name: string, text: string, expected: string[]][] = [
  ["one event", 'event: a\ndata: {"x":1}\n\n', ['{"x":1}']],
  ["no space after the colon", "data:x\n\ndata: y\n\n", ["x", "y"]],
  ["only one space is removed", "data:  x\n\n", [" x"]],
  ["CRLF", "event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n", ["1", "2"]],
  ["lone CR", "data: 1\r\rdata: 2\r\r", ["1", "2"]],
  ["mixed line ends", "data: 1\r\n\ndata: 2\n\r\ndata: 3\r\r\n", ["1", "2", "3"]],
  ["several data lines", "data: a\ndata: b\n\n", ["a\nb"]],
  ["field without a colon", "data\n\n", [""]],
  ["comments and other fields", ": hi\nid: 3\nretry: 5\ndatas: no\ndata: x\n\n", ["x"]],
  ["events without data", "event: ping\n\n\n\ndata: x\n\n", ["x"]],
  [
    "separators that end lines elsewhere",
    'data: "a\u2028b\u2029c\u0085d\u000be\u000cf"\n\n',
    ['"a\u2028b\u2029c\u0085d\u000be\u000cf"'],
  ],
  ["characters of two to four bytes", "data: äöü €漢字 😀👩‍👩‍👧\n\n", ["äöü €漢字 😀👩‍👩‍👧"]],
  ["a byte order mark", "\ufeffdata: x\n\n", ["x"]],
  ["a tail without its blank line", "data: a\n\ndata: b\n", ["a", "b"]],
  ["a tail without any line end", "data: a\n\ndata: b", ["a", "b"]],
  ["nothing", "", []],
];

describe("createSseDecoder", () => {
  for (const [name, text, expected] of cases)
    for (const cut of [1, 2, 3, 7, 4096])
      it(`reads ${name}, cut at ${cut} bytes`, () => expect(decode(bytesOf(text), cut)).toEqual(expected));

  it("agrees with eventsource-parser on any stream of complete events in any cut", () => {
    const piece = fc.constantFrom(
      "data: x",
      "data:",
      "data",
      "event: e",
      ": c",
      "id: 1",
      "data: 😀",
      "dat",
      "data: {}",
      "",
    );
    const end = fc.constantFrom("\n", "\r\n", "\r");
    fc.assert(
      fc.property(fc.array(fc.tuple(piece, end), { maxLength: 40 }), fc.integer({ min: 1, max: 9 }), (lines, cut) => {
        const text = `${lines.map(([line, eol]) => line + eol).join("")}\n\n`;
        const expected: string[] = [];
        const parser = createParser({ onEvent: (event) => expected.push(event.data) });
        parser.feed(text);
        expect(decode(bytesOf(text), cut)).toEqual(expected);
      }),
    );
  });

  it("delivers a line of 8 MB in small chunks in linear time", () => {
    const long = "x".repeat(8 * 1024 * 1024);
    expect(decode(bytesOf(`data: ${long}\n\n`), 16_384)[0]?.length).toBe(long.length);
  });

  it("refuses an event without end instead of growing for ever", () => {
    const decoder = createSseDecoder(() => {});
    const mebibyte = new Uint8Array(1024 * 1024).fill(120);
    decoder.push(bytesOf("data: "));
    expect(() => {
      for (let sent = 0; sent <= MAX_EVENT_LENGTH; sent += mebibyte.length) decoder.push(mebibyte);
    }).toThrow(/more than \d+ characters/);
  });
});
