import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ByteSink, UpstreamResponse } from "../../../src/platform.ts";
import { type EventConsumer, readEvents } from "../../../src/stream/event-flow.ts";

function source() {
  let sink: ByteSink | undefined;
  const calls: string[] = [];
  const response = {
    status: 200,
    headers: new Headers(),
    read(given: ByteSink) {
      sink = given;
      return {
        pause: () => calls.push("pause"),
        resume: () => calls.push("resume"),
        cancel: () => calls.push("cancel"),
      };
    },
  } as unknown as UpstreamResponse;
  const send = (text: string) => sink?.chunk(new TextEncoder().encode(text));
  const event = (type: string) => send(`data: {"type":"${type}"}\n\n`);
  return { response, calls, send, event, end: () => sink?.end(), error: (cause: unknown) => sink?.error(cause) };
}

function recorder() {
  const heard: string[] = [];
  const consumer: EventConsumer = {
    event: (event) => heard.push(event.type),
    end: () => heard.push("END"),
    error: (error) => heard.push(error.kind),
  };
  return { heard, consumer };
}

describe("readEvents", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("queues events until there is a consumer, then pushes", () => {
    const from = source();
    const flow = readEvents(from.response, 0);
    from.event("a");
    const { heard, consumer } = recorder();
    flow.attach(consumer);
    from.event("b");
    from.end();
    expect(heard).toEqual(["a", "b", "END"]);
  });

  it("tells that an answer is long, each time that bytes and texts of events have come to two megabytes", () => {
    const from = source();
    const onLong = vi.fn();
    const { heard, consumer } = recorder();
    readEvents(from.response, 0, onLong).attach(consumer);
    const counts = Array.from({ length: 6 }, () => {
      from.send(`data: {"type":"a","delta":"${"x".repeat(500 * 1024)}"}\n\n`);
      return onLong.mock.calls.length;
    });
    expect([heard.length, ...counts]).toEqual([6, 0, 0, 1, 1, 1, 2]);
  });

  it("tells it as soon as a consumer has had an event of megabytes", () => {
    const from = source();
    const told: string[] = [];
    readEvents(from.response, 0, () => told.push("long")).attach({
      ...recorder().consumer,
      event: () => told.push("event"),
    });
    from.send(`data: {"type":"a","delta":"${"x".repeat(1024 * 1024)}`);
    from.send('"}\n\n');
    expect(told).toEqual(["event", "long"]);
  });

  it("tells the next consumer what was put back, in order, and the outcome once more", () => {
    const from = source();
    const flow = readEvents(from.response, 0);
    const { heard, consumer } = recorder();
    flow.attach({
      event(event) {
        if (event.type === "b") flow.requeue([event]);
      },
      end() {},
      error() {},
    });
    from.send('data: {"type":"a"}\n\ndata: {"type":"b"}\n\ndata: {"type":"c"}\n\n');
    from.end();
    flow.attach(consumer);
    expect(heard).toEqual(["b", "c", "END"]);
  });

  it("reports a broken connection, an event that is not JSON and one that breaks off", () => {
    for (const [act, kind] of [
      [(from: ReturnType<typeof source>) => from.error(new Error("ECONNRESET")), "upstream_unreachable"],
      [(from: ReturnType<typeof source>) => from.send("data: <html>\n\n"), "upstream_protocol"],
      [
        (from: ReturnType<typeof source>) => from.send('data: {"type":"response.created","respo\n\n'),
        "upstream_protocol",
      ],
    ] as const) {
      const from = source();
      const { heard, consumer } = recorder();
      readEvents(from.response, 0).attach(consumer);
      act(from);
      expect(heard).toEqual([kind]);
    }
  });

  it("frees the connection when a consumer throws", () => {
    const from = source();
    const { heard, consumer } = recorder();
    readEvents(from.response, 0).attach({
      ...consumer,
      event() {
        throw new TypeError("bug");
      },
    });
    from.event("a");
    expect(heard).toEqual(["internal"]);
    expect(from.calls).toEqual(["cancel"]);
  });

  it.each([false, true])("tells of a throw also when more has queued up; stream ended: %s", (ended) => {
    const from = source();
    const { heard, consumer } = recorder();
    const flow = readEvents(from.response, 0);
    from.event("a");
    from.event("b");
    if (ended) from.end();
    flow.attach({
      ...consumer,
      event() {
        throw new TypeError("bug");
      },
    });
    expect(new Set(heard)).toEqual(new Set(["internal"]));
  });

  it("gives up after the idle time, and not while bytes arrive", () => {
    const from = source();
    const { heard, consumer } = recorder();
    readEvents(from.response, 5_000).attach(consumer);
    vi.advanceTimersByTime(4_000);
    from.send(": alive\n\n");
    vi.advanceTimersByTime(4_000);
    expect(heard).toEqual([]);
    vi.advanceTimersByTime(2_000);
    expect(heard).toEqual(["upstream_timeout"]);
    expect(from.calls).toEqual(["cancel"]);
  });

  it("lets a finished stream end in order and cuts one that does not", () => {
    const orderly = source();
    readEvents(orderly.response, 0).finish();
    orderly.end();
    vi.advanceTimersByTime(5_000);
    expect(orderly.calls).toEqual(["resume"]);
    const hanging = source();
    const { heard, consumer } = recorder();
    const flow = readEvents(hanging.response, 0);
    flow.attach(consumer);
    flow.finish();
    vi.advanceTimersByTime(5_000);
    expect(hanging.calls).toEqual(["resume", "cancel"]);
    expect(heard).toEqual([]);
  });

  it("tells the consumer once when it is cancelled", () => {
    const from = source();
    const { heard, consumer } = recorder();
    const flow = readEvents(from.response, 0);
    flow.attach(consumer);
    flow.cancel();
    flow.cancel();
    from.event("late");
    from.end();
    expect(heard).toEqual(["cancelled"]);
    expect(from.calls).toEqual(["cancel"]);
  });
});
