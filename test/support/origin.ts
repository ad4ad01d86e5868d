import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createGzip } from "node:zlib";

/** An HTTP server whose answers test a client's transport; what happened to it is recorded. */
export interface Origin {
  readonly port: number;
  /** Headers of each request, with its path. */
  readonly requests: { readonly path: string; readonly headers: IncomingMessage["headers"] }[];
  /** Connections accepted. */
  connections(): number;
  /** Paths whose client went away before the answer had ended. */
  readonly abandoned: string[];
  /** Bytes of `/big` accepted by the socket so far. */
  sent(): number;
  close(): Promise<void>;
}

const CHUNK = Buffer.alloc(65_536, "a");

export async function startOrigin(tls?: { readonly key: string; readonly cert: string }): Promise<Origin> {
  const requests: Origin["requests"] = [];
  const abandoned: string[] = [];
  let connections = 0;
  let sent = 0;
  const together: ServerResponse[] = [];

  const answers: Record<string, (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => void> =
    {
      "/echo": (request, response) => void request.pipe(response),
      "/redirect": (_, response) => void response.writeHead(302, { location: "/echo" }).end("moved"),
      "/hang": () => {},
      "/gzip": (_, response) => {
        response.writeHead(200, { "content-encoding": "gzip" });
        const gzip = createGzip();
        gzip.pipe(response);
        gzip.write("first ");
        // The second half follows only when the reader has the first: nothing may be held back until the end.
        gzip.flush();
        setTimeout(() => gzip.end("second"), 50);
      },
      "/ticks": (_, response, query) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.flushHeaders();
        let count = 0;
        const timer = setInterval(
          () => {
            response.write(`data: ${count++}\n\n`);
            if (count === Number(query.get("count"))) response.end();
          },
          Number(query.get("ms")),
        );
        response.on("close", () => clearInterval(timer));
      },
      // Ends only once so many are open at a time; with fewer they all wait.
      "/together": (_, response, query) => {
        response.writeHead(200);
        response.write("begun ");
        together.push(response);
        if (together.length === Number(query.get("of"))) for (const open of together.splice(0)) open.end("ended");
      },
      "/cut": (_, response) => {
        response.writeHead(200);
        response.write("half");
        setTimeout(() => response.destroy(), 50);
      },
      "/big": (_, response, query) => {
        let left = Number(query.get("chunks"));
        const more = (): void => {
          while (left-- > 0) {
            sent += CHUNK.length;
            if (!response.write(CHUNK)) return void response.once("drain", more);
          }
          response.end();
        };
        more();
      },
    };

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://origin");
    requests.push({ path: pathname, headers: request.headers });
    response.on("close", () => {
      if (!response.writableFinished) abandoned.push(pathname);
    });
    answers[pathname]?.(request, response, searchParams);
  };
  const server: Server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle);
  server.on(tls === undefined ? "connection" : "secureConnection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    abandoned,
    connections: () => connections,
    sent: () => sent,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
