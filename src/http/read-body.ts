import { Decompress as ZstdDecompress } from "fzstd";
import { ProxyError } from "../errors.ts";
import { isObject, type JsonObject } from "../json.ts";
import type { ServerRequest } from "../platform.ts";

/** Nesting beyond this is no request of any client, but could exhaust the stack of whoever walks it. */
const MAX_DEPTH = 256;
/** So much of a body that is too large is read and forgotten, and for so long. */
const MAX_SKIPPED = 256 * 1024 * 1024;
const SKIP_WITHIN_MS = 2_000;
/** Bytes that deflate can make 1,000 times as many. */
const DEFLATE_PIECE = 8 * 1024;
/** … and zstd 30,000 times. */
const ZSTD_PIECE = 1024;
/** Largest zstd window that is decoded: the format allows gigabytes, which the decoder would allocate at once. */
const MAX_ZSTD_WINDOW = 8 * 1024 * 1024;

/**
 * Reads a request's JSON object within bounds.
 * @param limit bytes after decoding.
 * @throws ProxyError `too_large`; `invalid_request` for an encoding, bytes or JSON that cannot be read.
 */
export async function readJsonBody(request: ServerRequest, limit: number): Promise<JsonObject> {
  const text = await readText(request, limit);
  let value: unknown;
  try {
    value = JSON.parse(text);
    checkDepth(value);
  } catch (cause) {
    if (cause instanceof ProxyError) throw cause;
    throw new ProxyError("invalid_request", "invalid JSON body", { cause });
  }
  if (!isObject(value)) throw new ProxyError("invalid_request", "request body must be a JSON object");
  return value;
}

async function readText(request: ServerRequest, limit: number): Promise<string> {
  const length = request.headers.get("content-length");
  if (Number(length ?? 0) > limit) {
    if (request.body) await skip(request.body.getReader());
    throw tooLarge(limit);
  }
  const encodings = (request.headers.get("content-encoding") ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity");
  if (encodings.length > 2) throw unsupportedEncoding(encodings.join(","));
  const whole = encodings.length === 0 && length !== null;
  const bytes = whole ? await readWhole(request, limit) : await readBounded(request, limit, encodings.reverse());
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw new ProxyError("invalid_request", "invalid JSON body: not UTF-8", { cause });
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** A body whose length the HTTP layer holds the client to: no web stream, which on Node costs as much as the rest. */
async function readWhole(request: ServerRequest, limit: number): Promise<ArrayBuffer | Uint8Array> {
  let bytes: ArrayBuffer | Uint8Array;
  try {
    bytes = await request.arrayBuffer();
  } catch (cause) {
    throw new ProxyError("invalid_request", BROKEN_BODY, { cause });
  }
  if (bytes.byteLength > limit) throw tooLarge(limit);
  return bytes;
}

const BROKEN_BODY = "the body could not be read to its end";

async function readBounded(request: ServerRequest, limit: number, encodings: readonly string[]): Promise<Uint8Array> {
  if (!request.body) return new Uint8Array(0);
  let stream: ReadableStream<Uint8Array> = request.body;
  for (const encoding of encodings) stream = decoded(stream, encoding);
  return readBytes(stream, limit, encodings.length > 0);
}

/** Gathers the body, stopping as soon as it exceeds the limit, whatever `content-length` said. */
async function readBytes(stream: ReadableStream<Uint8Array>, limit: number, encoded: boolean): Promise<Uint8Array> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.byteLength;
      if (size > limit) {
        chunks.length = 0;
        if (!encoded) await skip(reader);
        throw tooLarge(limit);
      }
      chunks.push(value);
    }
  } catch (cause) {
    reader.cancel().catch(() => {});
    if (cause instanceof ProxyError) throw cause;
    const message = encoded ? "the body does not fit its content-encoding" : BROKEN_BODY;
    throw new ProxyError("invalid_request", message, { cause });
  }
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/**
 * Reads on for a while and forgets: a client that is still sending when the connection is closed sees a broken connection
 * instead of the answer. Ends with the body, or when it is much too long or slow.
 */
async function skip(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  let left = MAX_SKIPPED;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    reader.cancel().catch(() => {});
  }, SKIP_WITHIN_MS);
  try {
    while (left > 0 && !late) {
      const { done, value } = await reader.read();
      if (done) return;
      left -= value.byteLength;
    }
  } catch {
    // The client has left, so nobody will read the answer.
  } finally {
    clearTimeout(timer);
  }
}

function decoded(stream: ReadableStream<Uint8Array>, encoding: string): ReadableStream<Uint8Array> {
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return inflated(stream, "gzip");
    case "deflate":
      return inflated(stream, "deflate");
    case "zstd":
      return stream.pipeThrough(inPieces(ZSTD_PIECE)).pipeThrough(zstd());
    default:
      throw unsupportedEncoding(encoding);
  }
}

/** Decoders are fed small pieces, since some give out all that a piece grows to before anybody can count it. */
function inPieces(size: number): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(chunk, controller) {
      for (let at = 0; at < chunk.length; at += size) controller.enqueue(chunk.slice(at, at + size));
    },
  });
}

function inflated(stream: ReadableStream<Uint8Array>, format: "gzip" | "deflate"): ReadableStream<Uint8Array> {
  const decoder = new DecompressionStream(format) as ReadableWritablePair<Uint8Array, Uint8Array>;
  return stream.pipeThrough(inPieces(DEFLATE_PIECE)).pipeThrough(decoder);
}

function zstd(): TransformStream<Uint8Array, Uint8Array> {
  let out: Uint8Array[] = [];
  const decoder = new ZstdDecompress((chunk) => out.push(chunk));
  const head: number[] = [];
  let checked = false;
  return new TransformStream({
    transform(chunk, controller) {
      if (!checked) {
        for (const byte of chunk.subarray(0, 18 - head.length)) head.push(byte);
        if (head.length >= 18 || !zstdHeaderFits(head, false)) checked = true;
        if (!zstdHeaderFits(head, true)) throw new Error("zstd window too large");
      }
      decoder.push(chunk);
      for (const piece of out) controller.enqueue(piece);
      out = [];
    },
    flush(controller) {
      decoder.push(new Uint8Array(0), true);
      for (const piece of out) controller.enqueue(piece);
    },
  });
}

/**
 * Reads the window size of a zstd frame header (RFC 8878, 3.1.1.1) from its first bytes.
 * @param lenient true when bytes may still be missing.
 */
function zstdHeaderFits(head: readonly number[], lenient: boolean): boolean {
  const descriptor = head[4];
  if (descriptor === undefined) return lenient;
  const single = (descriptor & 0x20) !== 0;
  if (!single) {
    const window = head[5];
    if (window === undefined) return lenient;
    const base = 2 ** (10 + (window >> 3));
    return base + (base / 8) * (window & 7) <= MAX_ZSTD_WINDOW;
  }
  // Without a window descriptor the window is the content: bounded by the caller's limit through its declared size.
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeBytes = [1, 2, 4, 8][descriptor >> 6] ?? 8;
  const field = head.slice(5 + dictionaryBytes, 5 + dictionaryBytes + sizeBytes);
  if (field.length < sizeBytes) return lenient;
  const size = field.reduce((sum, byte, index) => sum + byte * 2 ** (8 * index), sizeBytes === 2 ? 256 : 0);
  return size <= 64 * 1024 * 1024;
}

/** Refuses deep nesting. Level by level, without recursion; texts cost nothing, however long. */
function checkDepth(root: unknown): void {
  let level: unknown[] = typeof root === "object" && root !== null ? [root] : [];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) {
      throw new ProxyError("invalid_request", `invalid JSON body: nested more than ${MAX_DEPTH} levels deep`);
    }
    const next: unknown[] = [];
    for (const value of level) {
      const children = Array.isArray(value) ? value : Object.values(value as object);
      for (const child of children) if (typeof child === "object" && child !== null) next.push(child);
    }
    level = next;
  }
}

function tooLarge(limit: number): ProxyError {
  const size = limit >= 1024 * 1024 ? `${Math.floor(limit / 1024 / 1024)} MB` : `${limit} bytes`;
  return new ProxyError("too_large", `request body is larger than ${size}; raise --body-limit if that is intended`);
}

function unsupportedEncoding(name: string): ProxyError {
  return new ProxyError(
    "invalid_request",
    `content-encoding ${JSON.stringify(name)} is not supported; use gzip, deflate or zstd`,
    { status: 415 },
  );
}
