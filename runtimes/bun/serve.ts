import type { Handler, Listener, ListenOptions } from "../../src/platform.ts";
import { toResponse } from "../../src/stream/web-body.ts";
import { closeWithin } from "../shared/close-within.ts";
import { socketHost, toListenError } from "../shared/listen-error.ts";

/**
 * Serves `handler` with `Bun.serve`. Its idle timeout would cut a stream that is silent for ten seconds; whoever has not sent
 * all headers after about as long is cut without it.
 */
export async function serveBun(handler: Handler, options: ListenOptions): Promise<Listener> {
  try {
    const server = Bun.serve({
      hostname: socketHost(options.host),
      port: options.port,
      idleTimeout: 0,
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      development: false,
      // Without development mode Bun shares the port by default: a second server would start and take half the clients.
      reusePort: false,
      fetch: async (request) => toResponse(await handler(request)),
    });
    return {
      port: server.port ?? options.port,
      close: (deadlineMs) =>
        closeWithin(
          () => server.stop(false),
          () => server.stop(true),
          deadlineMs,
        ),
    };
  } catch (error) {
    throw toListenError(error, options);
  }
}
