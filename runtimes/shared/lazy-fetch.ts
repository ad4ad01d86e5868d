import type { UpstreamFetch, UpstreamNetwork } from "../../src/platform.ts";

/**
 * A `createFetch` whose module is loaded when a network is first configured: commands that only look at the state start
 * without an HTTP client. Loading begins at once, so that the first request seldom waits for it.
 */
export function lazyFetch(
  load: () => Promise<(network: UpstreamNetwork) => UpstreamFetch>,
): (network: UpstreamNetwork) => UpstreamFetch {
  return (network) => {
    let ready: UpstreamFetch | undefined;
    const loading = load().then((create) => {
      ready = create(network);
      return ready;
    });
    // Told to whoever makes the first request.
    loading.catch(() => {});
    return (url, request) => (ready ? ready(url, request) : loading.then((fetch) => fetch(url, request)));
  };
}
