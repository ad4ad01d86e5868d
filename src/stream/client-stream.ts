import { defer } from "./defer.ts";

/** Bytes that may wait for a slow reader before upstream is held back. */
const HIGH_WATER_MARK = 64 * 1024;

export interface ClientStreamHooks {
  /** The client left. Called at most once, never after `close`. */
  onCancel(): void;
  /** True while the reader is behind: upstream is to pause. */
  onPressure(behind: boolean): void;
}

/** The body of a streamed answer: text in, bytes out. */
export interface ClientStream {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
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
  const utf8 = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  let pending = "";
  let scheduled = false;
  let started = false;
  let closed = false;
  let behind = false;
  let written = 0;

  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start(own) {
        controller = own;
      },
      pull() {
        if (!behind) return;
        behind = false;
        hooks.onPressure(false);
      },
      cancel() {
        if (closed) return;
        closed = true;
        pending = "";
        hooks.onCancel();
      },
    },
    { highWaterMark: HIGH_WATER_MARK, size: (chunk) => chunk.byteLength },
  );

  function flush(): void {
    scheduled = false;
    if (closed || pending === "" || !controller) return;
    const bytes = utf8.encode(pending);
    pending = "";
    controller.enqueue(bytes);
    if (!behind && (controller.desiredSize ?? 1) <= 0) {
      behind = true;
      hooks.onPressure(true);
    }
  }

  return {
    body,
    written: () => written,
    write(text) {
      if (closed || text === "") return;
      written++;
      pending += text;
      if (!started) {
        started = true;
        flush();
      } else if (!scheduled) {
        scheduled = true;
        defer(flush);
      }
    },
    close() {
      if (closed) return;
      flush();
      closed = true;
      controller?.close();
    },
  };
}
