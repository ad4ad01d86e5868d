import type { HeaderBag } from "../platform.ts";

/** Ids that are safe in a header and in a log line. */
const SAFE_ID = /^[\w.:@-]{1,128}$/;

/** The client's `x-request-id`, else its `x-correlation-id`, if fit to be logged and returned; else a fresh id. */
export function correlationId(headers: HeaderBag, newId: () => string): string {
  for (const name of ["x-request-id", "x-correlation-id"]) {
    const given = headers.get(name);
    if (given !== null && SAFE_ID.test(given)) return given;
  }
  return newId();
}
