import type { BodyFlow, BodySink, PushedBody } from "../platform.ts";
import { defer } from "./defer.ts";

const UTF8 = new TextEncoder();
/**
 * Text that may be gathered, in UTF-16 units. A burst reads megabytes within one turn: without a bound all of it would be
 * translated before the client is found to be behind.
 */
const MAX_PENDING = 64 * 1024;

export interface ClientStreamHooks {
  /** Text leaves for the client: once an event-loop turn at most. */
  readonly onWrite?: (() => void) | undefined;
  /** The client left. Called at most once, never after `close`. */
  onCancel(): void;
  /** True while the client is behind: upstream is to pause. */
  onPressure(behind: boolean): void;
}

/** The body of a streamed answer: text in, bytes out. */
export interface ClientStream {
  readonly body: PushedBody;
  write(text: string): void;
  /** Counts writes, so that silence can be told. */
  written(): number;
  /** Sends what is pending and ends the body in order. */
  close(): void;
}

/**
 * One write an event-loop turn: text is gathered and leaves as one chunk with one encode, since on Node a write for each
 * delta costs several times as much as the translation itself. The very first text goes out by itself, at once.
 */
export function createClientStream(hooks: ClientStreamHooks): ClientStream {
  let sink: BodySink | undefined;
  let pending = "";
  let scheduled = false;
  let started = false;
  let closed = false;
  let behind = false;
  let written = 0;

  function flush(): void {
    scheduled = false;
    if (pending === "" || !sink) return;
    const bytes = UTF8.encode(pending);
    pending = "";
    hooks.onWrite?.();
    if (sink.write(bytes) || behind || closed) return;
    behind = true;
    hooks.onPressure(true);
  }

  const flow: BodyFlow = {
    resume() {
      if (!behind) return;
      behind = false;
      hooks.onPressure(false);
    },
    cancel() {
      pending = "";
      if (closed) return;
      closed = true;
      hooks.onCancel();
    },
  };

  function open(to: BodySink): BodyFlow {
    sink = to;
    flush();
    if (closed) to.end();
    return flow;
  }

  return {
    body: { open },
    written: () => written,
    write(text) {
      if (closed || text === "") return;
      written++;
      pending += text;
      if (!started || pending.length >= MAX_PENDING) {
        started = true;
        flush();
      } else if (!scheduled) {
        scheduled = true;
        defer(flush);
      }
    },
    close() {
      if (closed) return;
      closed = true;
      flush();
      sink?.end();
    },
  };
}
