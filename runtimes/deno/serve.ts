import type { Handler, Listener, ListenOptions } from "../../src/platform.ts";
import { toResponse } from "../../src/stream/web-body.ts";
import { closeWithin } from "../shared/close-within.ts";
import { socketHost, toListenError } from "../shared/listen-error.ts";
import { clientLeft, silenceAbortNotice } from "./client-left.ts";

/** Serves `handler` with `Deno.serve`. */
export async function serveDeno(handler: Handler, options: ListenOptions): Promise<Listener> {
  silenceAbortNotice();
  try {
    const server = Deno.serve(
      { hostname: socketHost(options.host), port: options.port, onListen() {} },
      async (request, info) => {
        // Deno would serve it under the address it listens on, a name that the client never gave.
        if (!request.headers.has("host")) return new Response("the request has no Host header", { status: 400 });
        return toResponse(await handler(request, () => clientLeft(request, info.completed)));
      },
    );
    return {
      port: server.addr.port,
      close: (deadlineMs) =>
        closeWithin(
          () => server.shutdown(),
          // Aborting a server that is shutting down is an error that nobody can catch: the process's end cuts the rest.
          () => {},
          deadlineMs,
        ),
    };
  } catch (error) {
    throw toListenError(error, options);
  }
}
