import { describe, expect, it } from "vitest";
import { type CanonicalEvent, makeEvent, type OutputItem } from "../../../src/canonical/event.ts";
import { createForcedCall } from "../../../src/canonical/forced-call.ts";

const message = (part: object | undefined, more: object = {}): OutputItem =>
  ({
    type: "message",
    id: "msg_1",
    role: "assistant",
    status: "completed",
    content: part ? [part] : [],
    ...more,
  }) as OutputItem;
const text = (value: string) => ({ type: "output_text" as const, text: value, annotations: [] });
const refusal = { type: "refusal" as const, refusal: "no" };
const at = { output_index: 1, item_id: "msg_1", content_index: 0 };
const completed = (...output: OutputItem[]): CanonicalEvent => ({
  type: "response.completed",
  response: { id: "resp_1", output },
});
const ID = "0123456789abcdef0123456789abcdef";
const call = (status: string, args: string) => ({
  type: "function_call",
  id: `fc_${ID}`,
  status,
  arguments: args,
  call_id: "call_0123456789abcdef01234567",
  name: "f",
});

function tell(events: readonly CanonicalEvent[]): CanonicalEvent[] {
  const told: CanonicalEvent[] = [];
  const stage = createForcedCall("f", () => ID);
  for (const event of events) stage.push(makeEvent(event), (each) => told.push(each.value));
  return told;
}

describe("createForcedCall", () => {
  it("tells the answer's text as the call's arguments", () => {
    const answer = message(text('{"a":1}'));
    const told = tell([
      { type: "response.output_item.added", output_index: 1, item: message(undefined) },
      { type: "response.in_progress", response: { id: "resp_1" } },
      { type: "response.content_part.added", ...at, part: text("") },
      { type: "response.output_text.delta", ...at, delta: '{"a"' },
      { type: "response.output_text.delta", ...at, delta: ":1}" },
      { type: "response.output_text.done", ...at, text: '{"a":1}' },
      { type: "response.content_part.done", ...at, part: text('{"a":1}') },
      { type: "response.output_item.done", output_index: 1, item: answer },
      completed({ type: "reasoning", summary: [] }, answer),
    ]);
    const here = { output_index: 1, item_id: `fc_${ID}` };
    expect(told).toEqual([
      { type: "response.in_progress", response: { id: "resp_1" } },
      { type: "response.output_item.added", output_index: 1, item: call("in_progress", "") },
      { type: "response.function_call_arguments.delta", ...here, delta: '{"a"' },
      { type: "response.function_call_arguments.delta", ...here, delta: ":1}" },
      { type: "response.function_call_arguments.done", ...here, name: "f", arguments: '{"a":1}' },
      { type: "response.output_item.done", output_index: 1, item: call("completed", '{"a":1}') },
      completed({ type: "reasoning", summary: [] }, call("completed", '{"a":1}') as OutputItem),
    ]);
  });

  it("needs no deltas, nor the beginning of the item", () => {
    const done: CanonicalEvent = { type: "response.output_item.done", output_index: 1, item: message(text("{}")) };
    const told = [{ ...done, item: call("completed", "{}") }];
    expect(tell([done])).toEqual(told);
    const added: CanonicalEvent = { type: "response.output_item.added", output_index: 1, item: message(undefined) };
    expect(tell([added, done])).toEqual([{ ...added, item: call("in_progress", "") }, ...told]);
    expect(tell([completed(message(text("{}")))])).toEqual([completed(call("completed", "{}") as OutputItem)]);
  });

  it("leaves a refusal, a remark on the way and other calls as they are, in their order", () => {
    const events: CanonicalEvent[] = [
      { type: "response.output_item.added", output_index: 0, item: message(undefined, { phase: "commentary" }) },
      { type: "response.output_text.delta", ...at, output_index: 0, delta: "looking" },
      { type: "response.output_item.done", output_index: 0, item: message(text("looking"), { phase: "commentary" }) },
      { type: "response.output_item.added", output_index: 1, item: message(undefined) },
      { type: "response.content_part.added", ...at, part: refusal },
      { type: "response.refusal.delta", ...at, delta: "no" },
      { type: "response.output_item.done", output_index: 1, item: message(refusal) },
      { type: "response.output_item.done", output_index: 2, item: call("completed", "{}") as OutputItem },
      completed(message(refusal)),
    ];
    expect(tell(events)).toEqual(events);
  });

  it("leaves all as it is once the model has called the function by itself", () => {
    const own = call("completed", "{}") as OutputItem;
    const events: CanonicalEvent[] = [
      { type: "response.output_item.added", output_index: 2, item: message(undefined) },
      { type: "response.output_item.added", output_index: 0, item: own },
      { type: "response.output_item.done", output_index: 0, item: own },
      { type: "response.output_item.done", output_index: 1, item: message(text("Done.")) },
      completed(own, message(text("Done."))),
    ];
    expect(tell(events)).toEqual(events);
  });

  it("holds nothing back when the answer breaks off", () => {
    const events: CanonicalEvent[] = [
      { type: "response.output_item.added", output_index: 1, item: message(undefined) },
      { type: "response.failed", response: { id: "resp_1", error: { message: "no" } } },
    ];
    expect(tell(events)).toEqual(events);
  });
});
