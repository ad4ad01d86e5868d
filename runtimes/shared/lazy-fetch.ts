import type { UpstreamFetch, UpstreamNetwork } from "../../src/platform.ts";

/** Loads a runtime's HTTP client. */
export type LoadFetch = () => Promise<(network: UpstreamNetwork) => UpstreamFetch>;

/**
 * A `createFetch` whose module is loaded by the first request. The server makes one as soon as it listens, to read the
 * catalogue ahead; commands that only look at the state, and the way to the first answer, go without an HTTP client.
 */
export function lazyFetch(load: LoadFetch): (network: UpstreamNetwork) => UpstreamFetch {
  return (network) => {
    let ready: UpstreamFetch | undefined;
    let loading: Promise<UpstreamFetch> | undefined;
    const loadOnce = async (): Promise<UpstreamFetch> => {
      const create = await load();
      ready = create(network);
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
  };
}
