import type { UpstreamFetch, UpstreamNetwork } from "../../../src/platform.ts";

/** Loads the HTTP client. */
export const loadFetch = () => import("./fetch.ts");

/**
 * A fetch whose module is loaded by its first request. The server makes one as soon as it listens, to read the catalogue
 * ahead; commands that only look at the state, and the way to the first answer, go without an HTTP client.
 */
export function lazyFetch(network: UpstreamNetwork): UpstreamFetch {
  let ready: UpstreamFetch | undefined;
  let loading: Promise<UpstreamFetch> | undefined;
  const loadOnce = async (): Promise<UpstreamFetch> => {
    const { createUpstreamFetch } = await loadFetch();
    ready = createUpstreamFetch(network);
    return ready;
  };
  return (url, request) => {
    if (ready !== undefined) return ready(url, request);
    // What has failed for want of a descriptor is tried again by the next request.
    loading ??= loadOnce().finally(() => {
      loading = undefined;
    });
    return loading.then((fetch) => fetch(url, request));
  };
}
