import type { ServerResponse } from "node:http";

const cutByServer = new WeakSet<ServerResponse>();

/** Breaks the connection as a failing server does. */
export function cutConnection(response: ServerResponse): void {
  cutByServer.add(response);
  response.destroy();
}

/** True when the exchange ended early and the double did not do it. */
export function wasClosedByClient(response: ServerResponse): boolean {
  return !response.writableFinished && !cutByServer.has(response);
}
