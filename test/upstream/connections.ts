import type { Server } from "node:http";
import type { Socket } from "node:net";

/** Numbers the connections of a server, and can end them all. */
export class Connections {
  #numbers = new WeakMap<object, number>();
  #open = new Set<Socket>();
  #count = 0;

  constructor(server: Pick<Server, "on">, event: "connection" | "secureConnection") {
    server.on(event, (socket: Socket) => {
      this.#numbers.set(socket, ++this.#count);
      this.#open.add(socket);
      socket.on("close", () => this.#open.delete(socket));
      // A client that resets the connection is a case under test, no fault of the double.
      socket.on("error", () => undefined);
    });
  }

  numberOf(socket: object): number {
    return this.#numbers.get(socket) ?? 0;
  }

  destroyAll(): void {
    for (const socket of this.#open) socket.destroy();
  }
}
