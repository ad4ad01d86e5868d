import * as tls from "node:tls";
import type { UpstreamFetch, UpstreamNetwork } from "../../src/platform.ts";
import { fromResponse } from "../../src/stream/byte-source.ts";
import { toAbortSignal } from "../shared/abort-signal.ts";
import { ACCEPT_ENCODING, decodedHeaders } from "../shared/content-decoding.ts";
import { proxyFor } from "../shared/outbound-proxy.ts";

/** Upstream over Bun's fetch, which keeps its own pool. It undoes content codings but leaves their header in place. */
export function createBunFetch(network: UpstreamNetwork): UpstreamFetch {
  // `ca` replaces the public roots, so they are named too.
  const ca = network.extraCa === undefined ? undefined : [...tls.rootCertificates, network.extraCa];
  const trust = { rejectUnauthorized: true, ...(ca && { ca }) };
  return async (url, request) => {
    const proxy = proxyFor(new URL(url), network);
    const response = await fetch(url, {
      method: request.method,
      headers: { ...request.headers, "accept-encoding": ACCEPT_ENCODING },
      redirect: "manual",
      timeout: false,
      tls: trust,
      ...(request.body !== undefined && { body: request.body as BodyInit }),
      ...(request.signal && { signal: toAbortSignal(request.signal) }),
      ...(proxy !== undefined && { proxy }),
    } as BunFetchRequestInit);
    const upstream = fromResponse(response);
    return response.headers.has("content-encoding")
      ? { ...upstream, headers: decodedHeaders(response.headers) }
      : upstream;
  };
}
