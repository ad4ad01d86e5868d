import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Answer, Handler, Listener, ListenOptions, PushedBody } from "../../src/platform.ts";
import { socketHost, toListenError } from "../shared/listen-error.ts";
import { hasOneHost, NodeRequest } from "./request.ts";

/** A client that trickles its headers, or its body, holds one socket for so long and nobody else. */
const HEADERS_TIMEOUT_MS = 20_000;
const REQUEST_TIMEOUT_MS = 5 * 60_000;
const KEEP_ALIVE_MS = 75_000;
const IDLE_SWEEP_MS = 100;
/** Of a longer text Node holds two copies and room for three more while the client reads, of bytes none; UTF-16 units. */
const LARGE = 64 * 1024;

/** Serves `handler` on node:http. Upgrade requests reach it as ordinary ones, because nothing listens for "upgrade". */
export function serveNode(handler: Handler, options: ListenOptions): Promise<Listener> {
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 5_000,
      noDelay: true,
    },
    (incoming, outgoing) => void respond(handler, incoming, outgoing),
  );
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(toListenError(error, options)));
    server.listen(options.port, socketHost(options.host), () => {
      const { port } = server.address() as AddressInfo;
      resolve({ port, close: (deadlineMs) => close(server, deadlineMs) });
    });
  });
}

async function respond(handler: Handler, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  // A client may break off at any time: reading then fails on `incoming`, writing on `outgoing`.
  incoming.on("error", ignore);
  outgoing.on("error", ignore);
  if (!hasOneHost(incoming)) {
    outgoing.writeHead(400, { connection: "close" }).end("the request needs one Host header");
    return;
  }
  try {
    send(await handler(new NodeRequest(incoming, outgoing)), outgoing);
  } catch {
    outgoing.destroy();
  }
}

function send({ status, headers, body }: Answer, outgoing: ServerResponse): void {
  outgoing.writeHead(status, headers);
  if (body === null) outgoing.end();
  else if (typeof body === "string") outgoing.end(body.length < LARGE ? body : Buffer.from(body));
  else push(body, outgoing);
}

function push(body: PushedBody, outgoing: ServerResponse): void {
  const flow = body.open({
    write: (bytes) => outgoing.write(bytes),
    end: () => void outgoing.end(),
    error: () => void outgoing.destroy(),
  });
  const left = (): void => {
    if (!outgoing.writableFinished) flow.cancel();
  };
  if (outgoing.destroyed) {
    left();
    return;
  }
  outgoing.on("drain", () => flow.resume());
  outgoing.once("close", left);
  // The client learns at once that its answer has begun, though nothing may be in it yet.
  if (!outgoing.writableEnded && outgoing.writableLength === 0) outgoing.flushHeaders();
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

function ignore(): void {}
