import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { CancelSignal, HeaderBag, ServerRequest } from "../../src/platform.ts";
import { Cancellation } from "../../src/stream/cancellation.ts";
import { ParsedHeaders } from "../shared/headers.ts";

/** A request of node:http as the app reads it: a Web `Request` over it would cost several times as much. */
export class NodeRequest implements ServerRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: HeaderBag;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  #left: Cancellation | undefined;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse) {
    this.method = incoming.method ?? "GET";
    this.url = urlOf(incoming);
    this.headers = new ParsedHeaders(incoming.headers);
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    if (this.method === "GET" || this.method === "HEAD") return null;
    return Readable.toWeb(this.#incoming) as ReadableStream<Uint8Array<ArrayBuffer>>;
  }

  get signal(): CancelSignal {
    this.#left ??= clientLeft(this.#outgoing);
    return this.#left;
  }

  arrayBuffer(): Promise<Uint8Array> {
    const incoming = this.#incoming;
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.once("end", () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
      incoming.once("close", () => {
        // An error costs its stack, so none is made for a body that is there.
        if (!incoming.readableEnded)
          reject(new Error("the client closed the connection before its request was complete"));
      });
    });
  }
}

/** Of two Host headers a proxy in front may have read the other one (RFC 9112, 3.2). */
export function hasOneHost({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === 4 && name.toLowerCase() === "host") hosts++;
  }
  return hosts === 1;
}

function urlOf({ url = "/", headers }: IncomingMessage): string {
  return /^https?:\/\//i.test(url) ? url : `http://${headers.host}${url}`;
}

/** Aborted when the connection is closed before the answer has been sent whole. */
function clientLeft(outgoing: ServerResponse): Cancellation {
  const left = new Cancellation();
  const check = (): void => {
    if (!outgoing.writableFinished) left.abort(new Error("the client closed the connection"));
  };
  if (outgoing.destroyed) check();
  else outgoing.once("close", check);
  return left;
}
