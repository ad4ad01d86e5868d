import type { UpstreamFetch, UpstreamNetwork, UpstreamRequest } from "../../src/platform.ts";
import { fromResponse } from "../../src/stream/byte-source.ts";
import { toAbortSignal } from "../shared/abort-signal.ts";
import { ACCEPT_ENCODING, decodeContent } from "../shared/content-decoding.ts";
import { proxyFor } from "../shared/outbound-proxy.ts";
import { readIntoOneBuffer } from "./lent-buffer.ts";
import { credentialFreeProxy } from "./proxy-relay.ts";

/** A person thinks for minutes between two prompts; the connection should still be warm then. */
const KEEP_ALIVE_MS = 4 * 60_000;

/**
 * Deno sends a body of text or bytes a second time by itself when the connection breaks before the answer: a model would be
 * asked twice, a refresh token spent twice. A Blob's it does not, and its length is still told.
 */
function sentOnce(body: NonNullable<UpstreamRequest["body"]>): BodyInit {
  return body instanceof ReadableStream ? (body as BodyInit) : new Blob([body as BlobPart]);
}

/**
 * Upstream over Deno's fetch with two clients that live as long as the process: direct and proxied. Deno decodes
 * the codings it has asked for itself; with `accept-encoding` ours, decoding is too.
 */
export function createDenoFetch(network: UpstreamNetwork): UpstreamFetch {
  const trust = { poolIdleTimeout: KEEP_ALIVE_MS, http2: false, caCerts: network.extraCa ? [network.extraCa] : [] };
  const direct = Deno.createHttpClient(trust);
  let proxied: Deno.HttpClient | undefined;
  const clientFor = (url: URL): Deno.HttpClient => {
    const proxyUrl = proxyFor(url, network);
    if (proxyUrl === undefined) return direct;
    proxied ??= Deno.createHttpClient({ ...trust, proxy: credentialFreeProxy(proxyUrl, trust.caCerts) });
    return proxied;
  };
  return async (url, request) => {
    const response = await fetch(url, {
      method: request.method,
      headers: { ...request.headers, "accept-encoding": ACCEPT_ENCODING },
      redirect: "manual",
      client: clientFor(new URL(url)),
      ...(request.body !== undefined && { body: sentOnce(request.body) }),
      ...(request.signal && { signal: toAbortSignal(request.signal) }),
    } as RequestInit);
    return decodeContent(fromResponse(response, readIntoOneBuffer));
  };
}
