import type { Handler, Listener, ListenOptions } from "../../src/platform.ts";
import { toResponse } from "../../src/stream/web-body.ts";
import { closeWithin } from "../shared/close-within.ts";
import { socketHost, toListenError } from "../shared/listen-error.ts";
import { clientLeft, silenceAbortNotice } from "./client-left.ts";

/** Descriptors are short while many connections are open: so long until the next try to accept again. */
const LISTEN_AGAIN_MS = 250;

/** Serves `handler` with `Deno.serve`. */
export async function serveDeno(handler: Handler, options: ListenOptions): Promise<Listener> {
  silenceAbortNotice();
  let closing = false;

  const respond = async (request: Request, info: Deno.ServeHandlerInfo): Promise<Response> => {
    // Deno would serve it under the address it listens on, a name that the client never gave.
    if (!request.headers.has("host")) return new Response("the request has no Host header", { status: 400 });
    return toResponse(await handler(request, () => clientLeft(request, info.completed)));
  };

  function listen(port: number): Deno.HttpServer<Deno.NetAddr> {
    const begun = Deno.serve({ hostname: socketHost(options.host), port, onListen() {} }, respond);
    // Without a descriptor for the next connection Deno gives up listening, and its process with it, unless that is caught.
    begun.finished.catch(() => listenAgain(begun.addr.port));
    return begun;
  }

  function listenAgain(port: number): void {
    setTimeout(() => {
      if (closing) return;
      try {
        server = listen(port);
      } catch {
        listenAgain(port);
      }
    }, LISTEN_AGAIN_MS);
  }

  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = listen(options.port);
  } catch (error) {
    throw toListenError(error, options);
  }
  return {
    port: server.addr.port,
    close(deadlineMs) {
      closing = true;
      // Aborting a server that is shutting down is an error that nobody can catch: the process's end cuts the rest.
      return closeWithin(
        () => server.shutdown().catch(() => {}),
        () => {},
        deadlineMs,
      );
    },
  };
}
