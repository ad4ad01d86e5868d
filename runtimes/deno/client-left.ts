import type { CancelSignal } from "../../src/platform.ts";
import { Cancellation } from "../../src/stream/cancellation.ts";

/**
 * Tells when the client has left. Deno aborts a request's own signal after a complete answer as well; `completed` tells the
 * two apart, and is settled first.
 */
export function clientLeft({ signal }: Request, completed: Promise<void>): CancelSignal {
  const left = new Cancellation();
  let delivered = false;
  completed.then(
    () => {
      delivered = true;
    },
    () => left.abort(signal.reason),
  );
  const check = (): void =>
    queueMicrotask(() => {
      if (!delivered) left.abort(signal.reason);
    });
  if (signal.aborted) check();
  else signal.addEventListener("abort", check, { once: true });
  return left;
}

/** Deno's advice about the behaviour that is mended here, which it would print into the user's log. */
const NOTICE = "Deno.serve: request.signal aborts on successful responses";

/** Keeps that one line out of stderr. */
export function silenceAbortNotice(): void {
  const warn = console.warn;
  console.warn = (...parts: unknown[]) => {
    if (!String(parts[0]).startsWith(NOTICE)) warn(...parts);
  };
}
