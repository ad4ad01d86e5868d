import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Handler, Listener, ListenOptions } from "../../src/platform.ts";
import { socketHost, toListenError } from "../shared/listen-error.ts";
import { clientLeft } from "./client-left.ts";

/** A client that trickles its headers, or its body, holds one socket for so long and nobody else. */
const HEADERS_TIMEOUT_MS = 20_000;
const REQUEST_TIMEOUT_MS = 5 * 60_000;
const KEEP_ALIVE_MS = 75_000;
const IDLE_SWEEP_MS = 100;

/** Serves `handler` on node:http. Upgrade requests reach it as ordinary ones, because nothing listens for "upgrade". */
export function serveNode(handler: Handler, options: ListenOptions): Promise<Listener> {
  const listener = getRequestListener((request, { outgoing }) =>
    handler(request, () => clientLeft(outgoing as ServerResponse)),
  );
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 5_000,
      noDelay: true,
    },
    (incoming, outgoing) => void listener(incoming, outgoing),
  );
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(toListenError(error, options)));
    server.listen(options.port, socketHost(options.host), () => {
      const { port } = server.address() as AddressInfo;
      resolve({ port, close: (deadlineMs) => close(server, deadlineMs) });
    });
  });
}

function close(server: Server, deadlineMs: number): Promise<void> {
  return new Promise((resolve) => {
    // A connection that falls idle after `close` would otherwise live on until its keep-alive ends.
    const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS);
    const cut = setTimeout(() => server.closeAllConnections(), deadlineMs);
    server.close(() => {
      clearInterval(sweep);
      clearTimeout(cut);
      resolve();
    });
  });
}
