import { describe, expect, it } from "vitest";
import { createCollector } from "../../../src/canonical/collect.ts";
import { type CanonicalEvent, makeEvent } from "../../../src/canonical/event.ts";

const fold = (events: CanonicalEvent[]) => {
  const collector = createCollector();
  for (const event of events) collector.push(makeEvent(event));
  return collector.finish();
};
const message = (text: string) =>
  ({
    type: "message",
    id: "msg_1",
    role: "assistant",
    content: [{ type: "output_text", text, annotations: [] }],
  }) as const;
const created: CanonicalEvent = { type: "response.created", response: { id: "resp_1", model: "m" } };
const completed: CanonicalEvent = {
  type: "response.completed",
  response: { id: "resp_1", status: "completed", output: [] },
};

describe("createCollector", () => {
  it("rebuilds the output from item events when the terminal event has none", () => {
    const done = {
      type: "response.output_item.done",
      output_index: 0,
      item: message("pong"),
    } as unknown as CanonicalEvent;
    expect(fold([created, done, completed])).toMatchObject({
      id: "resp_1",
      model: "m",
      status: "completed",
      output: [message("pong")],
    });
  });

  it("takes the terminal event's output when there were no item events", () => {
    const full = {
      ...completed,
      response: { id: "r", status: "completed", output: [message("x")] },
    } as unknown as CanonicalEvent;
    expect(fold([created, full]).output).toEqual([message("x")]);
  });

  it("orders items by output_index though they finish in another order", () => {
    const item = (index: number): CanonicalEvent => ({
      type: "response.output_item.done",
      output_index: index,
      item: { type: "function_call", call_id: `call_${index}`, name: "f", arguments: "{}" },
    });
    expect(fold([created, item(1), item(0), completed]).output.map((it) => it.call_id)).toEqual(["call_0", "call_1"]);
  });

  it("keeps finished items that come without an index, in order", () => {
    const item = (text: string) =>
      ({ type: "response.output_item.done", item: message(text) }) as unknown as CanonicalEvent;
    expect(fold([created, item("a"), item("b"), completed]).output).toEqual([message("a"), message("b")]);
  });

  it("takes response.incomplete for incomplete also when it gives no reason", () => {
    expect(fold([created, { type: "response.incomplete", response: { id: "r" } }]).status).toBe("incomplete");
  });

  it("leaves the events unchanged", () => {
    const added: CanonicalEvent = {
      type: "response.output_item.added",
      output_index: 0,
      item: { type: "function_call", call_id: "c", name: "f", arguments: "" },
    };
    fold([created, added, { type: "response.function_call_arguments.delta", output_index: 0, delta: "{}" }, completed]);
    expect(added.item.arguments).toBe("");
  });

  it("keeps the text of an item that was never finished", () => {
    const events: CanonicalEvent[] = [
      created,
      {
        type: "response.output_item.added",
        output_index: 0,
        item: { type: "message", role: "assistant", content: [] },
      },
      { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "po" },
      { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "ng" },
      { type: "response.incomplete", response: { id: "resp_1", incomplete_details: { reason: "max_output_tokens" } } },
    ];
    expect(fold(events)).toMatchObject({ status: "incomplete", output: [{ content: [{ text: "pong" }] }] });
  });

  it("throws what a failed response says", () => {
    const failed: CanonicalEvent = {
      type: "response.failed",
      response: { id: "r", error: { code: "server_is_overloaded", message: "busy" } },
    };
    expect(() => fold([created, failed])).toThrow(expect.objectContaining({ kind: "overloaded", message: "busy" }));
  });

  it("throws on an error event", () => {
    const error: CanonicalEvent = {
      type: "error",
      error: { code: "rate_limit_exceeded", message: "try again in 250ms" },
    };
    expect(() => fold([created, error])).toThrow(expect.objectContaining({ kind: "rate_limit", retryAfter: 1 }));
  });

  it("throws upstream_protocol when the stream ended early", () => {
    expect(() => fold([created])).toThrow(expect.objectContaining({ kind: "upstream_protocol" }));
    expect(() => fold([])).toThrow(expect.objectContaining({ kind: "upstream_protocol" }));
  });

  it("keeps a long unfinished text whole, the event that began it unchanged", () => {
    const added = {
      type: "response.output_item.added",
      output_index: 0,
      item: message(""),
    } as unknown as CanonicalEvent;
    const delta = {
      type: "response.output_text.delta",
      item_id: "msg_1",
      output_index: 0,
      content_index: 0,
      delta: "x".repeat(10_000),
    } as unknown as CanonicalEvent;
    const { output } = fold([created, added, ...Array<CanonicalEvent>(200).fill(delta), completed]);
    expect(output).toEqual([message("x".repeat(2_000_000))]);
    expect(added).toMatchObject({ item: message("") });
  });

  it("keeps apart the deltas of several unfinished items and parts that come by turns", () => {
    const added = (output_index: number, item: object) =>
      ({ type: "response.output_item.added", output_index, item }) as unknown as CanonicalEvent;
    const call = { type: "function_call", call_id: "c", name: "f", arguments: "" };
    const events = [created, added(0, message("")), added(1, call)];
    for (let i = 0; i < 200; i++) {
      events.push(
        { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: `a${i}` },
        { type: "response.function_call_arguments.delta", output_index: 1, delta: `b${i}` },
        { type: "response.output_text.delta", output_index: 0, content_index: 1, delta: `c${i}` },
      );
    }
    const told = (letter: string) => Array.from({ length: 200 }, (_, i) => `${letter}${i}`).join("");
    expect(fold([...events, completed]).output).toMatchObject([
      { content: [{ text: told("a") }, { text: told("c") }] },
      { arguments: told("b") },
    ]);
  });
});
