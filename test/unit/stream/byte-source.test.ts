import { describe, expect, test } from "vitest";
import type { ByteSink } from "../../../src/platform.ts";
import { fromPush, fromResponse } from "../../../src/stream/byte-source.ts";
import { handOn } from "../../../src/stream/hand-on.ts";
import { toWebStream } from "../../../src/stream/web-body.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A sink that notes what it hears. */
function recorder() {
  const heard: string[] = [];
  const sink: ByteSink = {
    chunk: (chunk) => void heard.push(new TextDecoder().decode(chunk)),
    end: () => void heard.push("<end>"),
    error: (cause) => void heard.push(`<${(cause as Error).message}>`),
  };
  return { heard, sink };
}

/** A response whose body the test feeds. */
function fed() {
  let source: ReadableStreamDefaultController<Uint8Array> | undefined;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      source = controller;
    },
    cancel() {
      cancelled = true;
    },
  });
  const response = fromResponse(new Response(body, { status: 202, headers: { "x-a": "1" } }));
  return { response, source: source as ReadableStreamDefaultController<Uint8Array>, isCancelled: () => cancelled };
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

describe("fromResponse", () => {
  test("read pushes chunks in order and tells the end once", async () => {
    const { response, source } = fed();
    const { heard, sink } = recorder();
    response.read(sink);
    source.enqueue(bytes("a"));
    source.enqueue(bytes("b"));
    source.close();
    await turn();
    expect(heard).toEqual(["a", "b", "<end>"]);
    expect([response.status, response.headers.get("x-a")]).toEqual([202, "1"]);
  });

  test("read tells of a broken body", async () => {
    const { response, source } = fed();
    const { heard, sink } = recorder();
    response.read(sink);
    source.error(new Error("broken"));
    await turn();
    expect(heard).toEqual(["<broken>"]);
  });

  test("pause holds back also what a read under way brings, resume goes on, both may be repeated", async () => {
    const { response, source } = fed();
    const { heard, sink } = recorder();
    const flow = response.read(sink);
    flow.pause();
    flow.pause();
    for (const text of ["a", "b", "c"]) source.enqueue(bytes(text));
    await turn();
    expect(heard).toEqual([]);
    flow.resume();
    flow.resume();
    await turn();
    expect(heard).toEqual(["a", "b", "c"]);
  });

  test("a chunk of megabytes comes in pieces between which the sink can pause, and every byte once", async () => {
    const { response, source } = fed();
    const whole = Uint8Array.from({ length: 300_000 }, (_, index) => index % 251);
    const heard: number[] = [];
    const flow = response.read({
      chunk(chunk) {
        heard.push(...chunk);
        expect(chunk.length).toBeLessThanOrEqual(64 * 1024);
        flow.pause();
      },
      end: () => {},
      error: () => {},
    });
    source.enqueue(whole);
    for (let pieces = 1; pieces <= 5; pieces++) {
      await turn();
      expect(heard.length).toBe(Math.min(pieces * 64 * 1024, whole.length));
      flow.resume();
    }
    expect(Uint8Array.from(heard)).toEqual(whole);
  });

  test("pause and resume within one chunk lose and double nothing", async () => {
    const { response, source } = fed();
    const heard: string[] = [];
    const flow = response.read({
      chunk(chunk) {
        heard.push(new TextDecoder().decode(chunk));
        flow.pause();
        flow.resume();
      },
      end: () => void heard.push("<end>"),
      error: () => {},
    });
    for (const text of ["a", "b", "c"]) source.enqueue(bytes(text));
    source.close();
    await turn();
    expect(heard).toEqual(["a", "b", "c", "<end>"]);
  });

  test("cancel frees the body and silences the sink", async () => {
    const { response, source, isCancelled } = fed();
    const { heard, sink } = recorder();
    const flow = response.read(sink);
    source.enqueue(bytes("a"));
    await turn();
    flow.cancel();
    await turn();
    expect(isCancelled()).toBe(true);
    expect(heard).toEqual(["a"]);
  });

  test("discard frees an unread body; a response without a body ends at once", async () => {
    const { response, isCancelled } = fed();
    response.discard();
    await turn();
    expect(isCancelled()).toBe(true);
    const { heard, sink } = recorder();
    fromResponse(new Response(null, { status: 204 })).read(sink);
    await turn();
    expect(heard).toEqual(["<end>"]);
  });

  test("text decodes across chunks, is cut at the limit and then frees the body", async () => {
    const whole = fed();
    const snowman = bytes("☃");
    whole.source.enqueue(snowman.subarray(0, 1));
    whole.source.enqueue(snowman.subarray(1));
    whole.source.close();
    expect(await whole.response.text(100)).toBe("☃");
    const endless = fed();
    endless.source.enqueue(bytes("0123456789"));
    expect(await endless.response.text(4)).toBe("0123");
    await turn();
    expect(endless.isCancelled()).toBe(true);
  });

  test("text does not wait for an end that does not come", async () => {
    const { response, source, isCancelled } = fed();
    source.enqueue(bytes("so far"));
    expect(await response.text(100, 20)).toBe("so far");
    await turn();
    expect(isCancelled()).toBe(true);
  });

  test("text rejects when the body breaks", async () => {
    const { response, source } = fed();
    source.error(new Error("broken"));
    await expect(response.text(10)).rejects.toThrow("broken");
  });
});

describe("fromPush", () => {
  function pushed() {
    const calls: string[] = [];
    let sink: ByteSink | undefined;
    const response = fromPush({
      status: 200,
      headers: new Headers(),
      open(opened) {
        sink = opened;
        return {
          pause: () => void calls.push("pause"),
          resume: () => void calls.push("resume"),
          cancel: () => void calls.push("cancel"),
        };
      },
      discard: () => void calls.push("discard"),
    });
    return { response, calls, sink: () => sink as ByteSink };
  }

  test("stream passes bytes and the end on", async () => {
    const { response, sink } = pushed();
    const text = new Response(toWebStream(handOn(response))).text();
    sink().chunk(bytes("a"));
    sink().chunk(bytes("b"));
    sink().end();
    expect(await text).toBe("ab");
  });

  test("stream holds its source back while nobody reads, and lets it go on", async () => {
    const { response, calls, sink } = pushed();
    const reader = toWebStream(handOn(response)).getReader();
    await turn();
    calls.length = 0;
    sink().chunk(new Uint8Array(70_000));
    expect(calls).toEqual(["pause"]);
    await reader.read();
    await turn();
    expect(calls).toEqual(["pause", "resume"]);
  });

  test("stream errors when its source does, and cancels it when the reader goes", async () => {
    const broken = pushed();
    const reading = new Response(toWebStream(handOn(broken.response))).text();
    broken.sink().error(new Error("broken"));
    await expect(reading).rejects.toThrow("broken");
    const left = pushed();
    await toWebStream(handOn(left.response)).cancel();
    expect(left.calls).toContain("cancel");
  });
});
