import type { UpstreamFetch, UpstreamNetwork } from "../../src/platform.ts";

/**
 * A `createFetch` whose module is loaded by the first request. The server makes one as soon as it listens, to read the
 * catalogue ahead; commands that only look at the state, and the way to the first answer, go without an HTTP client.
 */
export function lazyFetch(
  load: () => Promise<(network: UpstreamNetwork) => UpstreamFetch>,
): (network: UpstreamNetwork) => UpstreamFetch {
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
      loading ??= loadOnce();
      return loading.then((fetch) => fetch(url, request));
    };
  };
}
