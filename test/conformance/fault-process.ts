import { readdirSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";

/** Resident memory of a process, bytes. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) * 1024;
}

/** Open descriptors of a process. */
export const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** A TCP connection that speaks by hand. */
export interface RawConnection {
  readonly socket: Socket;
  send(bytes: string | Uint8Array): void;
  /** Everything received so far, bytes as Latin-1. */
  received(): string;
  /** True once the server has ended or reset the connection. */
  closed(): boolean;
  /** Waits until the text so far satisfies `test`, or the connection is closed; gives the text. Rejects after `withinMs`. */
  until(test: (text: string) => boolean, withinMs?: number): Promise<string>;
  end(): void;
}

export async function openRaw(port: number): Promise<RawConnection> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  let text = "";
  let closed = false;
  let changed = (): void => {};
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
    changed();
  });
  for (const event of ["end", "close", "error"]) {
    socket.on(event, () => {
      closed = true;
      changed();
    });
  }
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return {
    socket,
    send: (bytes) => void socket.write(bytes),
    received: () => text,
    closed: () => closed,
    until: (test, withinMs = 10_000) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`nothing of the kind within ${withinMs} ms: ${text.slice(0, 500)}`)),
          withinMs,
        );
        changed = () => {
          if (!closed && !test(text)) return;
          clearTimeout(timer);
          changed = () => {};
          resolve(text);
        };
        changed();
      }),
    end: () => socket.destroy(),
  };
}

/** Sends bytes on a connection of their own and gives all that comes back until the connection ends, or `quietMs` pass. */
export async function exchangeRaw(port: number, bytes: string | Uint8Array, quietMs = 5_000): Promise<string> {
  const connection = await openRaw(port);
  connection.send(bytes);
  const text = await connection.until(() => false, quietMs).catch(() => connection.received());
  connection.end();
  return text;
}

/** The status of each answer in what a connection received. */
export const statusesIn = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map((match) => Number(match[1]));
