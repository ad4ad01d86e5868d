import type { Duplex } from "node:stream";
import * as zlib from "node:zlib";
import type { ByteFlow, ByteSink, UpstreamResponse } from "../../../src/platform.ts";
import { fromPush } from "../../../src/stream/byte-source.ts";
import { decodedHeaders } from "./content-decoding.ts";

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

/** The response with its coding undone; the same where the coding is unknown. */
export function undoCoding(response: UpstreamResponse): UpstreamResponse {
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
  decoder.on("data", (bytes: Uint8Array<ArrayBuffer>) => {
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
