import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CanonicalEvent, OutputItem } from "../../../../src/canonical/event.ts";
import { readEvent, type UpstreamEvent } from "../../../../src/canonical/event.ts";
import { createSseDecoder } from "../../../../src/sse/decode.ts";
import { encodeData } from "../../../../src/sse/encode.ts";
import { assemble, comparable, encode, made, plain, read, translate, whole } from "./support.ts";

/** Any text, control characters and halves of surrogate pairs included. */
const text = fc.string({ unit: "binary", maxLength: 12 });

const citation = fc.record({
  type: fc.constant("url_citation"),
  start_index: fc.nat(9),
  end_index: fc.nat(9),
  title: text,
  url: fc.webUrl(),
});
const item: fc.Arbitrary<OutputItem> = fc.oneof(
  fc.record({
    type: fc.constant("message" as const),
    role: fc.constant("assistant" as const),
    content: fc.array(
      fc.record({ type: fc.constant("output_text" as const), text, annotations: fc.array(citation, { maxLength: 2 }) }),
      { minLength: 1, maxLength: 3 },
    ),
  }),
  fc.record({
    type: fc.constant("message" as const),
    role: fc.constant("assistant" as const),
    content: fc.tuple(fc.record({ type: fc.constant("refusal" as const), refusal: text })),
  }),
  fc.record({
    type: fc.constant("function_call" as const),
    name: fc.constant("f"),
    arguments: text,
    call_id: fc.uuid(),
  }),
  fc.record({
    type: fc.constant("custom_tool_call" as const),
    name: fc.constant("c"),
    input: text,
    call_id: fc.uuid(),
  }),
  fc.record({
    type: fc.constant("reasoning" as const),
    summary: fc.array(fc.record({ type: fc.constant("summary_text" as const), text }), { maxLength: 3 }),
  }),
  fc.constant({ type: "web_search_call", status: "completed" } as OutputItem),
);

/** How an item is told: not at all before it is finished, or cut into deltas of some length. */
const telling = fc.record({ item, deltas: fc.boolean(), size: fc.integer({ min: 1, max: 5 }) });
type Telling = typeof telling extends fc.Arbitrary<infer T> ? T : never;

const cut = (value: string, size: number): string[] =>
  Array.from({ length: Math.ceil(value.length / size) }, (_, at) => value.slice(at * size, (at + 1) * size));

function eventsOf({ item, deltas, size }: Telling, output_index: number): CanonicalEvent[] {
  const done: CanonicalEvent = { type: "response.output_item.done", output_index, item };
  if (!deltas) return [done];
  const events: CanonicalEvent[] = [];
  const add = (item: OutputItem) => events.push({ type: "response.output_item.added", output_index, item });
  const tell = (value: string, event: (delta: string) => CanonicalEvent) => {
    for (const delta of cut(value, size)) events.push(event(delta));
  };
  if (item.type === "message") {
    add({ ...item, content: [] });
    item.content.forEach((part, content_index) => {
      const place = { output_index, content_index };
      if (part.type === "output_text")
        tell(part.text, (delta) => ({ type: "response.output_text.delta", ...place, delta }));
      else tell(part.refusal, (delta) => ({ type: "response.refusal.delta", ...place, delta }));
    });
  } else if (item.type === "function_call") {
    add({ ...item, arguments: "" });
    tell(item.arguments, (delta) => ({ type: "response.function_call_arguments.delta", output_index, delta }));
  } else if (item.type === "custom_tool_call") {
    add({ ...item, input: "" });
    tell(item.input, (delta) => ({ type: "response.custom_tool_call_input.delta", output_index, delta }));
  } else if (item.type === "reasoning") {
    add({ ...item, summary: [] });
    item.summary.forEach((part, summary_index) => {
      tell(part.text, (delta) => ({
        type: "response.reasoning_summary_text.delta",
        output_index,
        summary_index,
        delta,
      }));
    });
  }
  return [...events, done];
}

/** Neighbouring calls told side by side: their deltas take turns, as parallel calls do. */
function interleave(groups: CanonicalEvent[][], tellings: Telling[]): CanonicalEvent[] {
  const isCall = (index: number) =>
    tellings[index]?.item.type.endsWith("tool_call") || tellings[index]?.item.type === "function_call";
  const events: CanonicalEvent[] = [];
  for (let at = 0; at < groups.length; ) {
    let end = at + 1;
    if (isCall(at)) while (end < groups.length && isCall(end)) end++;
    const side = groups.slice(at, end);
    // Calls begin in their order; afterwards they take turns.
    for (const group of side) events.push(...group.splice(0, 1));
    while (side.some((group) => group.length > 0)) for (const group of side) events.push(...group.splice(0, 1));
    at = end;
  }
  return events;
}

const ending = fc.constantFrom<CanonicalEvent>(
  { type: "response.completed", response: { id: "r", status: "completed", output: [] } },
  { type: "response.completed", response: { id: "r", status: "completed", service_tier: "priority" } },
  { type: "response.incomplete", response: { id: "r", incomplete_details: { reason: "max_output_tokens" } } },
);

const stream = fc.tuple(fc.array(telling, { maxLength: 6 }), ending).map(([tellings, last]) => {
  const groups = tellings.map(eventsOf);
  return [
    { type: "response.created", response: { id: "r", status: "in_progress" } } satisfies CanonicalEvent,
    ...interleave(groups, tellings),
    last,
  ] as CanonicalEvent[];
});

const simplified = (answer: Record<string, unknown>) => ({
  ...answer,
  message: plain(answer.message as Record<string, unknown>),
});

describe("any upstream stream", () => {
  it("says the same whole and streamed", () => {
    fc.assert(
      fc.property(stream, fc.boolean(), (events, legacy) => {
        const body = read(legacy ? { functions: [{ name: "f" }] } : {});
        const upstream = made(events);
        expect(simplified(assemble(encode(upstream, body)))).toEqual(simplified(comparable(whole(upstream, body))));
      }),
      { numRuns: 300 },
    );
  });

  it("gives the same text however its bytes are cut", () => {
    fc.assert(
      fc.property(stream, fc.integer({ min: 1, max: 40 }), (events, size) => {
        const bytes = new TextEncoder().encode(events.map(encodeData).join(""));
        const read: UpstreamEvent[] = [];
        const decoder = createSseDecoder((data) => {
          const event = readEvent(data);
          if (event) read.push(event);
        });
        for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.slice(at, at + size));
        decoder.end();
        expect(encode(read)).toBe(encode(made(events)));
      }),
      { numRuns: 100 },
    );
  });
});

const part = fc.oneof(
  fc.record({ type: fc.constant("text"), text }),
  fc.constant({ type: "image_url", image_url: { url: "https://x.test/a.png", detail: "low" } }),
  fc.constant({ type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,QUJD" } }),
);
const textParts = fc.array(fc.record({ type: fc.constant("text"), text }), { maxLength: 3 });
const turn = fc.oneof(
  fc.record({ role: fc.constantFrom("system", "developer"), content: fc.oneof(text, textParts) }).map((it) => [it]),
  fc.record({ role: fc.constant("user"), content: fc.oneof(text, fc.array(part, { maxLength: 3 })) }).map((it) => [it]),
  fc
    .record({ role: fc.constant("assistant"), content: fc.oneof(text, fc.constant(null), textParts) })
    .map((it) => [it]),
  fc
    .tuple(
      fc.option(text),
      fc.array(fc.tuple(fc.uuid(), fc.boolean(), fc.oneof(text, fc.array(part))), { minLength: 1, maxLength: 3 }),
    )
    .map(([content, calls]) => [
      {
        role: "assistant",
        content,
        tool_calls: calls.map(([id, custom]) =>
          custom
            ? { id, type: "custom", custom: { name: "c", input: "x" } }
            : { id, type: "function", function: { name: "f", arguments: "{}" } },
        ),
      },
      ...calls.map(([id, , output]) => ({ role: "tool", tool_call_id: id, content: output })),
    ]),
);
const history = fc.array(turn, { maxLength: 6 }).map((turns) => [...turns.flat(), { role: "user", content: "go on" }]);

describe("any history", () => {
  it("keeps every text and every call with its output, and sends nothing empty", () => {
    fc.assert(
      fc.property(history, (messages) => {
        const items = translate({ messages }).body.input as Record<string, unknown>[];
        const calls = messages.flatMap((message) => ("tool_calls" in message ? (message.tool_calls ?? []) : []));
        const ids = (suffix: string) =>
          items
            .filter((it) => String(it.type).endsWith(suffix))
            .map((it) => [it.call_id, String(it.type).split("_")[0]]);
        expect(ids("_call")).toEqual(calls.map((call) => [call.id, call.type]));
        expect(ids("_call_output")).toEqual(ids("_call"));
        const contents = items.filter((it) => it.type === "message").map((it) => it.content as { text?: string }[]);
        expect(contents.every((content) => content.length > 0)).toBe(true);
        expect(contents.flat().every((one) => one.text !== "")).toBe(true);
        expect(contents.flat().flatMap((one) => one.text ?? [])).toEqual(
          messages.filter((message) => message.role !== "tool").flatMap((message) => textsOf(message.content)),
        );
      }),
    );
  });

  it("gives byte-equal beginnings for equal beginnings", () => {
    fc.assert(
      fc.property(history, history, (first, more) => {
        const short = JSON.stringify(translate({ messages: first }).body.input);
        const long = JSON.stringify(translate({ messages: [...first, ...more] }).body.input);
        expect(long.startsWith(short.slice(0, -1))).toBe(true);
      }),
    );
  });
});

function textsOf(content: unknown): string[] {
  const parts = typeof content === "string" ? [{ type: "text", text: content }] : Array.isArray(content) ? content : [];
  return parts.flatMap((one) => (one.type === "text" && one.text !== "" ? [one.text] : []));
}
