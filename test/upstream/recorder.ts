import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { decompress } from "fzstd";
import type { RecordedRequest } from "./types.ts";

// A proxy must not hand these on: they are its client's own, or belong to one hop.
const LEAKS = [
  "cookie",
  "x-api-key",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "keep-alive",
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
  "anthropic-version",
  "anthropic-beta",
  "origin",
  "referer",
  "sec-fetch-site",
  "x-stainless-lang",
  "x-stainless-package-version",
];

/** Reads a request to its end and decodes the body. */
export async function record(request: IncomingMessage, connection: number, now: number): Promise<RecordedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks);
  const url = new URL(request.url ?? "/", "http://upstream.invalid");
  const text = decode(raw, request.headers["content-encoding"]);
  return {
    method: request.method ?? "GET",
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    raw,
    text,
    json: parse(text),
    leaks: leaksOf(request.headers),
    connection,
    receivedAt: now,
    status: undefined,
    refusal: undefined,
    closedByClient: false,
    closedAt: undefined,
  };
}

function leaksOf(headers: IncomingHttpHeaders): string[] {
  return LEAKS.filter((name) => headers[name] !== undefined);
}

/** Text of a body; empty when it is not what its encoding says. */
function decode(raw: Buffer, encoding: string | undefined): string {
  try {
    return inflate(raw, encoding);
  } catch {
    return "";
  }
}

function inflate(raw: Buffer, encoding: string | undefined): string {
  switch (encoding) {
    case "gzip":
      return gunzipSync(raw).toString();
    case "deflate":
      return inflateSync(raw).toString();
    case "br":
      return brotliDecompressSync(raw).toString();
    case "zstd":
      return Buffer.from(decompress(raw)).toString();
    default:
      return raw.toString();
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
