import type { HeaderBag, UpstreamResponse } from "../../../src/platform.ts";

/**
 * Asked of upstream whatever the client accepts: an event stream that is compressed costs both sides CPU and arrives late,
 * and Bun and Deno would ask for compression by themselves.
 */
export const ACCEPT_ENCODING = "identity";

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
export function decodeContent(response: UpstreamResponse): UpstreamResponse | Promise<UpstreamResponse> {
  if (!response.headers.has("content-encoding")) return response;
  // Hardly ever: upstream is asked for none.
  return import("./content-decoders.ts").then(({ undoCoding }) => undoCoding(response));
}
