import { expect, test } from "vitest";
import type { BodySink } from "../../../src/platform.ts";
import { toWebStream } from "../../../src/stream/web-body.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A body that the test writes, and its stream. */
function written() {
  let sink: BodySink | undefined;
  const calls: string[] = [];
  const stream = toWebStream({
    open(to) {
      sink = to;
      return { resume: () => void calls.push("resume"), cancel: () => void calls.push("cancel") };
    },
  });
  return { stream, calls, sink: sink as BodySink };
}

test("what is written arrives, and the end with it", async () => {
  const { stream, sink } = written();
  const text = new Response(stream).text();
  sink.write(bytes("a"));
  sink.write(bytes("b"));
  sink.end();
  expect(await text).toBe("ab");
});

test("a write tells when the reader is behind", () => {
  const { sink } = written();
  expect(sink.write(bytes("a"))).toBe(true);
  expect(sink.write(new Uint8Array(100_000))).toBe(false);
});

test("a reader that leaves is told once; what was still to be written and the end do no harm", async () => {
  const { stream, calls, sink } = written();
  await stream.cancel();
  expect(sink.write(bytes("late"))).toBe(true);
  sink.end();
  expect(calls.filter((call) => call === "cancel")).toEqual(["cancel"]);
});

test("a body that breaks off is an error to its reader", async () => {
  const { stream, sink } = written();
  const text = new Response(stream).text();
  sink.write(bytes("a"));
  sink.error(new Error("broken"));
  await expect(text).rejects.toThrow("broken");
});
