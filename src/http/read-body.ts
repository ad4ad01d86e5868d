import { Decompress as ZstdDecompress } from "fzstd";
import { ProxyError } from "../errors.ts";
import { isObject, type JsonObject } from "../json.ts";

/** Nesting beyond this is no request of any client, but could exhaust the stack of whoever walks it. */
const MAX_DEPTH = 256;

/**
 * Reads a request's JSON object within bounds.
 * @param limit bytes after decoding.
 * @throws ProxyError `too_large`; `invalid_request` for an encoding, bytes or JSON that cannot be read.
 */
export async function readJsonBody(request: Request, limit: number): Promise<JsonObject> {
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

async function readText(request: Request, limit: number): Promise<string> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > limit) throw tooLarge(limit);
  const encodings = (request.headers.get("content-encoding") ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity");
  if (encodings.length > 2) throw unsupportedEncoding(encodings.join(","));
  if (!request.body) return "";
  let stream: ReadableStream<Uint8Array> = request.body;
  for (const encoding of encodings.reverse()) stream = decoded(stream, encoding);
  const bytes = await readBytes(stream, limit, encodings.length > 0);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ProxyError("invalid_request", "invalid JSON body: not UTF-8", { cause });
  }
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
      if (size > limit) throw tooLarge(limit);
      chunks.push(value);
    }
  } catch (cause) {
    reader.cancel().catch(() => {});
    if (cause instanceof ProxyError) throw cause;
    const message = encoded ? "the body does not fit its content-encoding" : "the body could not be read to its end";
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

function decoded(stream: ReadableStream<Uint8Array>, encoding: string): ReadableStream<Uint8Array> {
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return stream.pipeThrough(new DecompressionStream("gzip") as ReadableWritablePair<Uint8Array, Uint8Array>);
    case "deflate":
      return stream.pipeThrough(new DecompressionStream("deflate") as ReadableWritablePair<Uint8Array, Uint8Array>);
    case "zstd":
      return stream.pipeThrough(zstd());
    default:
      throw unsupportedEncoding(encoding);
  }
}

/** Largest zstd window that is decoded: the format allows gigabytes, which the decoder would allocate at once. */
const MAX_ZSTD_WINDOW = 8 * 1024 * 1024;
/** Input is fed in small pieces: each can grow 10,000-fold before the size check behind sees it. */
const ZSTD_PIECE = 1024;

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
      for (let at = 0; at < chunk.length; at += ZSTD_PIECE) {
        decoder.push(chunk.slice(at, at + ZSTD_PIECE));
        for (const piece of out) controller.enqueue(piece);
        out = [];
      }
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
