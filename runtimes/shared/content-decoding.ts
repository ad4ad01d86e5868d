import type { Duplex } from "node:stream";
import * as zlib from "node:zlib";
import type { ByteFlow, ByteSink, HeaderBag, UpstreamResponse } from "../../src/platform.ts";
import { fromPush } from "../../src/stream/byte-source.ts";

/**
 * Asked of upstream whatever the client accepts: an event stream that is compressed costs both sides CPU and arrives late,
 * and Bun and Deno would ask for compression by themselves.
 */
export const ACCEPT_ENCODING = "identity";

const FLUSH = { flush: zlib.constants.Z_SYNC_FLUSH, finishFlush: zlib.constants.Z_SYNC_FLUSH };

const DECODERS: Record<string, () => Duplex> = {
  gzip: () => zlib.createGunzip(FLUSH),
  "x-gzip": () => zlib.createGunzip(FLUSH),
  deflate: () => zlib.createInflate(FLUSH),
  br: () =>
    zlib.createBrotliDecompress({
      flush: zlib.constants.BROTLI_OPERATION_FLUSH,
      finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH,
    }),
};

/** Drops the headers that describe the coded body. */
export function decodedHeaders(headers: HeaderBag): HeaderBag {
  const decoded = new Headers();
  headers.forEach((value, name) => {
    decoded.append(name, value);
  });
  decoded.delete("content-encoding");
  decoded.delete("content-length");
  return decoded;
}

/**
 * `response` with its gzip, deflate or br coding undone, header included. What has arrived is passed on without waiting
 * for more. An unknown coding is left as it is.
 */
export function decodeContent(response: UpstreamResponse): UpstreamResponse {
  const createDecoder = DECODERS[response.headers.get("content-encoding")?.toLowerCase() ?? ""];
  if (createDecoder === undefined) return response;
  return fromPush({
    status: response.status,
    headers: decodedHeaders(response.headers),
    open: (sink) => openDecoded(createDecoder(), response, sink),
    discard: () => response.discard(),
  });
}

function openDecoded(decoder: Duplex, response: UpstreamResponse, sink: ByteSink): ByteFlow {
  let live = true;
  const finish = (tell: () => void): void => {
    if (!live) return;
    live = false;
    tell();
  };
  const flow = response.read({
    chunk(bytes) {
      if (!live || decoder.write(bytes)) return;
      flow.pause();
      decoder.once("drain", () => flow.resume());
    },
    end: () => void decoder.end(),
    error: (cause) =>
      finish(() => {
        decoder.destroy();
        sink.error(cause);
      }),
  });
  decoder.on("data", (bytes: Uint8Array) => {
    if (live) sink.chunk(bytes);
  });
  decoder.on("end", () => finish(() => sink.end()));
  decoder.on("error", (cause) =>
    finish(() => {
      flow.cancel();
      sink.error(cause);
    }),
  );
  return {
    pause: () => void decoder.pause(),
    resume: () => void decoder.resume(),
    cancel: () =>
      finish(() => {
        decoder.destroy();
        flow.cancel();
      }),
  };
}
