/**
 * Gives `request` a signal that is aborted only when the client has left. Deno aborts its own after a complete answer as
 * well; `completed` tells the two apart, and is settled first.
 */
export function markClientLeft(request: Request, completed: () => Promise<void>): Request {
  let left: AbortController | undefined;
  const native = (): AbortSignal => nativeSignal.call(request);
  return Object.defineProperty(request, "signal", {
    configurable: true,
    get() {
      left ??= follow(native(), completed());
      return left.signal;
    },
  });
}

const nativeSignal = Object.getOwnPropertyDescriptor(Request.prototype, "signal")?.get as (
  this: Request,
) => AbortSignal;

function follow(signal: AbortSignal, completed: Promise<void>): AbortController {
  const left = new AbortController();
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
