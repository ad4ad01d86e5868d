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

/** An `UpstreamResponse` over a fetch `Response`, for what stands in for upstream. */
export function fromResponse(response: Response): UpstreamResponse {
  const { status, headers, body } = response;
  const open = (sink: ByteSink): ByteFlow => pump((body ?? emptyStream()).getReader(), sink);
  return {
    status,
    headers,
    read: open,
    text: (limit, withinMs) => collectText(open, limit, withinMs),
    discard: () => void body?.cancel().catch(ignore),
  };
}

/** A runtime's client may give megabytes as one chunk; the sink can pause after each piece of so many bytes. */
const PIECE = 64 * 1024;
const NOTHING = new Uint8Array(0);

/** Reads as fast as the sink allows, one chunk a promise: there is no cheaper way with a web stream. */
function pump(reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>, sink: ByteSink): ByteFlow {
  /** What the sink has not had of the last chunk. */
  let rest: Uint8Array<ArrayBuffer> = NOTHING;
  let paused = false;
  let done = false;
  /** A read is under way, or the sink is having a piece. */
  let busy = false;

  function advance(): void {
    if (busy) return;
    busy = true;
    while (rest.length > 0 && !paused && !done) {
      const piece = rest.length > PIECE ? rest.subarray(0, PIECE) : rest;
      rest = piece === rest ? NOTHING : rest.subarray(PIECE);
      sink.chunk(piece);
    }
    if (paused || done) busy = false;
    else reader.read().then(onChunk, onError);
  }
  function onChunk(result: Awaited<ReturnType<typeof reader.read>>): void {
    busy = false;
    if (done) return;
    if (result.done || result.value === undefined) {
      done = true;
      sink.end();
      return;
    }
    rest = result.value;
    advance();
  }
  function onError(cause: unknown): void {
    if (done) return;
    done = true;
    sink.error(cause);
  }
  advance();
  return {
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      if (!done) advance();
    },
    cancel() {
      if (done) return;
      done = true;
      rest = NOTHING;
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

function emptyStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({ type: "bytes", start: (controller) => controller.close() });
}

function ignore(): void {}
