import type { ChunkReader } from "../../src/stream/byte-source.ts";

/** One TLS record, and little enough for hundreds of streams at once. */
const BUFFER_SIZE = 16 * 1024;

/**
 * Reads `body` into one buffer that is used again for each chunk. Deno's own reader makes 64 KB anew for each read, however few
 * bytes come: that costs three times the rest of a small answer.
 */
export function readIntoOneBuffer(body: ReadableStream<Uint8Array>): ChunkReader {
  const reader = body.getReader({ mode: "byob" });
  let buffer = new ArrayBuffer(BUFFER_SIZE);
  return {
    async read() {
      const result = await reader.read(new Uint8Array(buffer));
      if (result.value !== undefined) buffer = result.value.buffer;
      return result;
    },
    cancel: () => reader.cancel(),
  };
}
