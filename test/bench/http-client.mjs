/** A keep-alive HTTP/1.1 connection that keeps answers as they came: parsing is for later, outside what is measured. */
import { connect } from "node:net";

const HEAD_END = Buffer.from("\r\n\r\n");
const LAST_CHUNK = "\r\n0\r\n\r\n";

export class Connection {
  #port;
  #socket;
  #current;

  constructor(port) {
    this.#port = port;
  }

  /**
   * Sends one request and resolves with the raw answer once it is complete or broken.
   * @param onData sees each piece as it arrives.
   */
  send(head, body, onData) {
    return new Promise((resolve) => {
      const exchange = { pieces: [], tail: "", size: 0, startedAt: performance.now(), firstAt: 0, onData };
      exchange.settle = (ending) => {
        this.#current = undefined;
        resolve({ pieces: exchange.pieces, ending, startedAt: exchange.startedAt, endedAt: performance.now() });
      };
      this.#current = exchange;
      const socket = this.#open();
      socket.write(head);
      if (body.length > 0) socket.write(body);
    });
  }

  close() {
    this.#socket?.destroy();
  }

  #open() {
    if (this.#socket && !this.#socket.destroyed && this.#socket.writable) return this.#socket;
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    this.#socket = socket;
    socket.on("data", (bytes) => this.#data(bytes));
    socket.on("error", () => {});
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      if (this.#socket === socket) this.#current?.settle("closed");
    });
    return socket;
  }

  #data(bytes) {
    const exchange = this.#current;
    if (!exchange) return;
    exchange.pieces.push(bytes);
    exchange.size += bytes.length;
    exchange.onData?.(bytes);
    if (exchange.bodyFrom === undefined) this.#readHead(exchange);
    if (exchange.bodyFrom === undefined) return;
    if (exchange.length !== undefined) {
      if (exchange.size - exchange.bodyFrom >= exchange.length) this.#complete(exchange);
      return;
    }
    if (!exchange.chunked) return;
    exchange.tail = (exchange.tail + bytes.toString("latin1", Math.max(0, bytes.length - 7))).slice(-7);
    if (exchange.tail === LAST_CHUNK) this.#complete(exchange);
  }

  #readHead(exchange) {
    const bytes = exchange.pieces.length === 1 ? exchange.pieces[0] : Buffer.concat(exchange.pieces);
    const end = bytes.indexOf(HEAD_END);
    if (end === -1) return;
    const head = bytes.toString("latin1", 0, end).toLowerCase();
    exchange.bodyFrom = end + HEAD_END.length;
    const length = /\r\ncontent-length: *(\d+)/.exec(head);
    if (length) exchange.length = Number(length[1]);
    exchange.chunked = /\r\ntransfer-encoding: *chunked/.test(head);
    exchange.mustClose = /\r\nconnection: *close/.test(head);
  }

  #complete(exchange) {
    if (exchange.mustClose) this.#socket.destroy();
    exchange.settle("complete");
  }
}

/** Status and body text of a raw answer. */
export function parseAnswer({ pieces }) {
  const bytes = Buffer.concat(pieces);
  const end = bytes.indexOf(HEAD_END);
  if (end === -1) return { status: 0, text: "" };
  const head = bytes.toString("latin1", 0, end);
  const body = bytes.subarray(end + HEAD_END.length);
  const status = Number(head.slice(9, 12));
  return { status, text: (/\r\ntransfer-encoding: *chunked/i.test(head) ? dechunk(body) : body).toString() };
}

function dechunk(bytes) {
  const parts = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf("\r\n", at);
    const size = end === -1 ? 0 : Number.parseInt(bytes.toString("latin1", at, end), 16);
    if (!(size > 0)) break;
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return Buffer.concat(parts);
}
