import { describe, expect, it } from "vitest";
import { createClientStream } from "../../../src/stream/client-stream.ts";
import { toWebStream } from "../../../src/stream/web-body.ts";

function open() {
  const calls: string[] = [];
  const stream = createClientStream({
    onCancel: () => calls.push("cancel"),
    onPressure: (behind) => calls.push(behind ? "behind" : "drained"),
  });
  return { calls, stream, reader: toWebStream(stream.body).getReader() };
}
const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

describe("createClientStream", () => {
  it("sends the first text by itself and gathers the rest of a turn into one chunk", async () => {
    const { stream, reader } = open();
    for (const piece of ["a", "b", "c", "d"]) stream.write(piece);
    expect(text((await reader.read()).value)).toBe("a");
    expect(text((await reader.read()).value)).toBe("bcd");
    stream.write("e");
    stream.close();
    expect(text((await reader.read()).value)).toBe("e");
    expect((await reader.read()).done).toBe(true);
  });

  it("tells when the reader is behind and when it has caught up", async () => {
    const { stream, reader, calls } = open();
    stream.write("x".repeat(200_000));
    expect(calls).toEqual(["behind"]);
    await reader.read();
    await Promise.resolve();
    expect(calls).toEqual(["behind", "drained"]);
  });

  it("finds a client behind within a burst, not after it", () => {
    const { stream, calls } = open();
    stream.write("a");
    let written = 0;
    while (calls.length === 0 && written < 10_000_000) {
      stream.write("x".repeat(1_000));
      written += 1_000;
    }
    expect(written).toBeLessThan(200_000);
  });

  it("tells once that the client left and drops what is written afterwards", async () => {
    const { stream, reader, calls } = open();
    stream.write("a");
    await reader.cancel();
    stream.write("b");
    stream.close();
    expect(calls).toEqual(["cancel"]);
  });

  it("does not take the end of its own body for a client that left", async () => {
    const { stream, reader, calls } = open();
    stream.close();
    await reader.cancel();
    expect(calls).toEqual([]);
  });

  it("counts writes", () => {
    const { stream } = open();
    stream.write("");
    stream.write("a");
    expect(stream.written()).toBe(1);
  });
});
