import type { ServerResponse } from "node:http";
import type { CancelSignal } from "../../src/platform.ts";
import { Cancellation } from "../../src/stream/cancellation.ts";

/** Tells when the client closes the connection before its answer has been sent whole. */
export function clientLeft(outgoing: ServerResponse): CancelSignal {
  const left = new Cancellation();
  const check = (): void => {
    if (!outgoing.writableFinished) left.abort(new Error("the client closed the connection"));
  };
  if (outgoing.destroyed) check();
  else outgoing.once("close", check);
  return left;
}
