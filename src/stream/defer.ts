type Schedule = (work: () => void) => unknown;

/**
 * Runs `work` once the event loop has handled the input that is ready now: text produced meanwhile leaves in one write.
 * `setImmediate` is no Web API, but Node, Bun and Deno have it, and a zero timeout would cost a millisecond.
 */
export const defer: Schedule =
  (globalThis as { setImmediate?: Schedule }).setImmediate ?? ((work) => setTimeout(work, 0));
