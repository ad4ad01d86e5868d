import { deflateSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readJsonBody } from "../../../src/http/read-body.ts";

const LIMIT = 1024 * 1024;
const request = (body: BodyInit | null, headers: Record<string, string> = {}) =>
  new Request("http://localhost/", { method: "POST", body, headers });
const read = (body: BodyInit | null, headers?: Record<string, string>) => readJsonBody(request(body, headers), LIMIT);
const kind = (kind: string, message?: RegExp) =>
  expect.objectContaining({ kind, ...(message ? { message: expect.stringMatching(message) } : {}) });

/** `{"a":"hello"}` as a zstd frame with one raw block. */
function zstdRaw(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  const header = (bytes.length << 3) | 1;
  return Uint8Array.from([
    0x28,
    0xb5,
    0x2f,
    0xfd,
    0x20,
    bytes.length,
    header & 255,
    (header >> 8) & 255,
    header >> 16,
    ...bytes,
  ]);
}

/** A frame whose blocks repeat one byte 100,000 times each. */
function zstdBomb(blocks: number): Uint8Array {
  const out = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
  for (let block = 0; block < blocks; block++) {
    const header = (100_000 << 3) | 2 | (block === blocks - 1 ? 1 : 0);
    out.push(header & 255, (header >> 8) & 255, header >> 16, 0x20);
  }
  return Uint8Array.from(out);
}

describe("readJsonBody", () => {
  it("reads a JSON object", async () => expect(await read('{"a":"ä😀"}')).toEqual({ a: "ä😀" }));

  it("reads gzip, deflate and zstd bodies, and two encodings on top of each other", async () => {
    const text = '{"a":"hello"}';
    expect(await read(gzipSync(text), { "content-encoding": "gzip" })).toEqual({ a: "hello" });
    expect(await read(deflateSync(text), { "content-encoding": "Deflate" })).toEqual({ a: "hello" });
    expect(await read(zstdRaw(text) as BodyInit, { "content-encoding": "zstd" })).toEqual({ a: "hello" });
    expect(await read(gzipSync(deflateSync(text)), { "content-encoding": "deflate, gzip" })).toEqual({ a: "hello" });
    expect(await read(text, { "content-encoding": "identity" })).toEqual({ a: "hello" });
  });

  it("refuses what is no JSON object, in the documented words", async () => {
    for (const body of ["", "{", "nope", '{"a":1}x'])
      await expect(read(body)).rejects.toEqual(kind("invalid_request", /^invalid JSON body/));
    for (const body of ["[]", "1", "null", '"x"']) {
      await expect(read(body)).rejects.toEqual(kind("invalid_request", /^request body must be a JSON object$/));
    }
  });

  it("refuses invalid UTF-8 rather than changing the text", async () => {
    await expect(read(Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).rejects.toEqual(
      kind("invalid_request", /UTF-8/),
    );
  });

  it("refuses deep nesting, and not brackets inside strings", async () => {
    await expect(read(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`)).rejects.toEqual(
      kind("invalid_request", /nested/),
    );
    await expect(read(`{"a":${"[".repeat(100_000)}`)).rejects.toEqual(kind("invalid_request", /invalid JSON/));
    const text = `${"[".repeat(5000)}\\"{{{`;
    expect(await read(JSON.stringify({ a: text }))).toEqual({ a: text });
  });

  it("refuses more bytes than the limit, declared or not, encoded or not", async () => {
    const large = JSON.stringify({ a: "x".repeat(LIMIT) });
    await expect(read(large)).rejects.toEqual(kind("too_large"));
    await expect(read("{}", { "content-length": String(LIMIT + 1) })).rejects.toEqual(kind("too_large"));
    await expect(read(gzipSync(large), { "content-encoding": "gzip" })).rejects.toEqual(kind("too_large"));
    await expect(read(zstdBomb(2000) as BodyInit, { "content-encoding": "zstd" })).rejects.toEqual(kind("too_large"));
  });

  it("refuses a zstd frame that asks for a huge window before allocating it", async () => {
    const frame = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 1, 0, 0]);
    await expect(read(frame as BodyInit, { "content-encoding": "zstd" })).rejects.toEqual(
      kind("invalid_request", /content-encoding/),
    );
  });

  it("refuses a body that does not fit its encoding, and an encoding it does not know", async () => {
    await expect(read("{}", { "content-encoding": "gzip" })).rejects.toEqual(
      kind("invalid_request", /content-encoding/),
    );
    await expect(read("{}", { "content-encoding": "zstd" })).rejects.toEqual(
      kind("invalid_request", /content-encoding/),
    );
    await expect(read("{}", { "content-encoding": "snappy" })).rejects.toMatchObject({ status: 415 });
  });

  it("keeps hostile keys as plain data", async () => {
    const body = await read('{"__proto__":{"polluted":1},"constructor":{"x":1}}');
    expect(Object.keys(body)).toEqual(["__proto__", "constructor"]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it("reads a body that is too large to its end, so that its sender is there for the answer", async () => {
    for (const headers of [{ "content-length": String(LIMIT + 3) }, {}] as Record<string, string>[]) {
      let sent = 0;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (sent > LIMIT) return controller.close();
          sent += 100_000;
          controller.enqueue(new Uint8Array(100_000));
        },
      });
      const incoming = new Request("http://localhost/", {
        method: "POST",
        body,
        headers,
        duplex: "half",
      } as RequestInit);
      await expect(readJsonBody(incoming, LIMIT)).rejects.toEqual(kind("too_large"));
      expect(sent).toBeGreaterThan(LIMIT);
    }
  });
});
