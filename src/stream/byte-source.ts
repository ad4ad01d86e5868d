import type { ByteFlow, ByteSink, HeaderBag, UpstreamResponse } from "../platform.ts";

export interface ByteSourceParts {
  readonly status: number;
  readonly headers: HeaderBag;
  /** Starts the body; called at most once. The sink hears nothing before `open` has returned. */
  open(sink: ByteSink): ByteFlow;
  /** Frees a body that nobody will read. */
  discard(): void;
}

/** An `UpstreamResponse` over a body that is pushed: `text` is made of `open`. */
export function fromPush({ status, headers, open, discard }: ByteSourceParts): UpstreamResponse {
  return {
    status,
    headers,
    read: open,
    text: (limit, withinMs) => collectText(open, limit, withinMs),
    discard,
  };
}

/** An `UpstreamResponse` over a fetch `Response`, for runtimes whose client gives one, and for tests. */
export function fromResponse(response: Response): UpstreamResponse {
  const { status, headers, body } = response;
  const open = (sink: ByteSink): ByteFlow => pump(body, sink);
  return {
    status,
    headers,
    read: open,
    text: (limit, withinMs) => collectText(open, limit, withinMs),
    discard: () => void body?.cancel().catch(ignore),
  };
}

/** Reads `body` as fast as the sink allows, one chunk a promise: there is no cheaper way with a web stream. */
function pump(body: ReadableStream<Uint8Array> | null, sink: ByteSink): ByteFlow {
  const reader = (body ?? emptyStream()).getReader();
  let state: "reading" | "paused" | "idle" | "done" = "reading";
  const next = (): void => {
    reader.read().then(onChunk, onError);
  };
  const onChunk = (result: ReadableStreamReadResult<Uint8Array>): void => {
    if (state === "done") return;
    if (result.done) {
      state = "done";
      sink.end();
      return;
    }
    sink.chunk(result.value);
    // The sink may have paused or cancelled meanwhile, which the narrowing above cannot know.
    const now = state as "reading" | "paused" | "done";
    if (now === "paused") state = "idle";
    else if (now === "reading") next();
  };
  const onError = (cause: unknown): void => {
    if (state === "done") return;
    state = "done";
    sink.error(cause);
  };
  next();
  return {
    // "paused" still has a read under way whose chunk will be delivered; "idle" has none.
    pause() {
      if (state === "reading") state = "paused";
    },
    resume() {
      if (state === "paused") state = "reading";
      else if (state === "idle") {
        state = "reading";
        next();
      }
    },
    cancel() {
      if (state === "done") return;
      state = "done";
      reader.cancel().catch(ignore);
    },
  };
}

function collectText(open: ByteSourceParts["open"], limit: number, withinMs?: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const decoder = new TextDecoder();
    let text = "";
    let size = 0;
    const late = withinMs === undefined ? undefined : setTimeout(stop, withinMs);
    function finish(): void {
      clearTimeout(late);
      resolve(text + decoder.decode());
    }
    function stop(): void {
      finish();
      flow.cancel();
    }
    const flow = open({
      chunk(bytes) {
        const room = limit - size;
        size += bytes.length;
        text += decoder.decode(bytes.length > room ? bytes.subarray(0, Math.max(room, 0)) : bytes, { stream: true });
        if (size >= limit) stop();
      },
      end: finish,
      error(cause) {
        clearTimeout(late);
        reject(cause);
      },
    });
  });
}

function emptyStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}

function ignore(): void {}
