import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type CanonicalEvent,
  makeEvent,
  type OutputItem,
  type UpstreamEvent,
} from "../../../../src/canonical/event.ts";
import { responsesDialect } from "../../../../src/dialects/responses/index.ts";
import { ProxyError } from "../../../../src/errors.ts";
import { bodyOf, context, encode, encodeText, events, eventsOf, fixtureNames, type Sent, whole } from "./support.ts";

const streamed = bodyOf({ stream: true });
const created = { type: "response.created", response: { id: "resp_1" } };
const completed = { type: "response.completed", response: { id: "resp_1", status: "completed", output: [] } };
const textItem = (text: string) => ({
  type: "message",
  id: "msg_1",
  role: "assistant",
  content: [{ type: "output_text", text }],
});
const terminalOf = (sent: Sent[]) => sent.at(-1)?.response as Record<string, unknown>;
const numbers = (sent: Sent[]) => sent.map((event) => event.sequence_number);
const counting = (sent: Sent[]) => sent.map((_, index) => index);

describe.each(fixtureNames)("stream of %s", (name) => {
  it("counts sequence_number from 0 without a gap and ends once", () => {
    const sent = encode(eventsOf(name));
    expect(numbers(sent)).toEqual(counting(sent));
    const ends = sent.filter((event) => /^(error|response\.(completed|incomplete|failed))$/.test(event.type));
    expect(ends).toEqual([sent.at(-1)]);
  });

  it("ends with the same response as a whole answer", () => {
    const answer = whole(eventsOf(name), streamed);
    if (answer) expect(terminalOf(encode(eventsOf(name)))).toEqual(answer);
    else expect(["error", "response.failed"]).toContain(encode(eventsOf(name)).at(-1)?.type);
  });

  it.each([1, 7, 4096])("gives the same text when the bytes are cut at %i", (size) => {
    expect(encodeText(eventsOf(name, size))).toBe(encodeText(eventsOf(name)));
  });

  it("keeps one response id and gives every item of the stream its id", () => {
    const sent = encode(eventsOf(name));
    const ids = sent.map((event) => (event.response as { id?: string } | undefined)?.id).filter(Boolean);
    expect(new Set(ids).size).toBeLessThanOrEqual(1);
    for (const event of sent) {
      if ("item" in event) expect((event.item as { id: string }).id).toMatch(/^[a-z]+_/);
      if ("delta" in event) expect(event.item_id).toMatch(/^[a-z]+_/);
    }
  });
});

describe("createEncoder", () => {
  it("passes an event that needs nothing byte for byte", () => {
    const [first, second, ...rest] = eventsOf("text-with-reasoning.sse");
    const encoder = responsesDialect.createEncoder(streamed, context);
    encoder.push(first as UpstreamEvent);
    encoder.push(second as UpstreamEvent);
    for (const event of rest.slice(0, -1)) {
      expect(encoder.push(event)).toBe(`event: ${event.type}\ndata: ${event.data}\n\n`);
    }
  });

  it("never parses a complete delta", () => {
    const encoder = responsesDialect.createEncoder(streamed, context);
    encoder.push(makeEvent(created as CanonicalEvent));
    const data =
      '{"type":"response.output_text.delta","sequence_number":9,"item_id":"m","output_index":0,"content_index":0,"logprobs":[],"delta":BROKEN}';
    const delta = { type: "response.output_text.delta", data } as unknown as UpstreamEvent;
    expect(encoder.push(delta)).toContain('"sequence_number":2,');
  });

  it("is not misled by a text that looks like a field", () => {
    const delta = '"sequence_number":99,"logprobs":';
    const sent = encode(
      events(created, { type: "response.output_text.delta", output_index: 0, content_index: 0, delta }, completed),
    );
    expect(sent[2]).toMatchObject({ delta, sequence_number: 2, logprobs: [] });
  });

  it("sends created and in_progress once each, whatever upstream begins with", () => {
    for (const start of [[], [created], [created, created], [{ ...created, type: "response.in_progress" }]]) {
      const types = encode(events(...start, completed)).map((event) => event.type);
      expect(types).toEqual(["response.created", "response.in_progress", "response.completed"]);
    }
  });

  it("drops upstream's own events and keeps unknown ones of the API", () => {
    const sent = encode(
      events(
        { type: "codex.rate_limits" },
        created,
        { type: "response.metadata" },
        { type: "keepalive", sequence_number: 3 },
        { type: "response.audio.done", sequence_number: 4 },
        completed,
      ),
    );
    expect(sent.map((event) => event.type)).toEqual([
      "response.created",
      "response.in_progress",
      "response.audio.done",
      "response.completed",
    ]);
    expect(numbers(sent)).toEqual([0, 1, 2, 3]);
  });

  it("unfolds an item that came only as a whole", () => {
    const done = { type: "response.output_item.done", output_index: 0, item: textItem("pong") };
    const sent = encode(events(created, done, completed));
    expect(sent.map((event) => event.type)).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
    expect(sent[4]).toMatchObject({ item_id: "msg_1", output_index: 0, content_index: 0, delta: "pong" });
  });

  it("does not tell an item's text twice when deltas told it", () => {
    const added = { type: "response.output_item.added", output_index: 0, item: { ...textItem(""), content: [] } };
    const delta = { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "pong" };
    const done = { type: "response.output_item.done", output_index: 0, item: textItem("pong") };
    const sent = encode(events(created, added, delta, done, completed));
    expect(sent.filter((event) => event.type.endsWith(".delta")).map((event) => event.delta)).toEqual(["pong"]);
  });

  it("keeps the text of an item that the stream's end cut short", () => {
    const list = events(
      created,
      { type: "response.output_item.added", output_index: 0, item: { ...textItem(""), content: [] } },
      { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "po" },
      { type: "response.incomplete", response: { id: "resp_1", incomplete_details: { reason: "max_output_tokens" } } },
    );
    expect(terminalOf(encode(list))).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
      output: [{ id: "msg_1", content: [{ text: "po" }] }],
    });
  });

  it("never shows the local stop string", () => {
    const cut = { ...completed, response: { ...completed.response, local_stop: "END" } };
    expect(encodeText(events(created, cut))).not.toContain("local_stop");
    expect(JSON.stringify(whole(events(created, cut)))).not.toContain("local_stop");
  });

  it("says nothing after the end", () => {
    const encoder = responsesDialect.createEncoder(streamed, context);
    for (const event of events(created, completed)) encoder.push(event);
    expect(encoder.push(makeEvent(created as CanonicalEvent))).toBe("");
    expect(encoder.fail(new ProxyError("internal", "x"))).toBe("");
    expect(encoder.keepAlive()).toBe("");
  });
});

describe("failures in a stream", () => {
  it("are response.failed with the whole response where OpenAI has the code", () => {
    const last = encode(eventsOf("failed-rate_limit_exceeded.sse")).at(-1);
    expect(last).toMatchObject({
      type: "response.failed",
      response: { object: "response", status: "failed", model: "gpt-5.5", error: { code: "rate_limit_exceeded" } },
    });
  });

  it("are an error event with the true code where OpenAI's response.error has none", () => {
    const last = encode(eventsOf("failed-context_length_exceeded.sse")).at(-1);
    expect(last).toMatchObject({ type: "error", code: "context_length_exceeded", param: null });
    expect(last?.message).toBeTypeOf("string");
    expect(last?.error).toMatchObject({ code: "context_length_exceeded", message: last?.message });
  });

  it.each(["upstream_protocol", "upstream_timeout", "internal"] as const)(
    "%s after the start is response.failed",
    (kind) => {
      const encoder = responsesDialect.createEncoder(streamed, context);
      for (const event of events(created, {
        type: "response.output_item.done",
        output_index: 0,
        item: textItem("a"),
      })) {
        encoder.push(event);
      }
      const text = encoder.fail(new ProxyError(kind, "it broke"));
      expect(text).toContain("event: response.failed\n");
      expect(text).toContain('"error":{"code":"server_error","message":"it broke"}');
      expect(text).toContain('"output":[{"type":"message"');
    },
  );

  it("before the start are an error event numbered 0", () => {
    const encoder = responsesDialect.createEncoder(streamed, context);
    const text = encoder.fail(new ProxyError("overloaded", "busy"));
    expect(JSON.parse(text.split("data: ")[1] ?? "")).toMatchObject({
      type: "error",
      code: "server_is_overloaded",
      message: "busy",
      sequence_number: 0,
    });
  });

  it("an event that is not JSON ends the stream as an error of ours", () => {
    const encoder = responsesDialect.createEncoder(streamed, context);
    encoder.push(makeEvent(created as CanonicalEvent));
    const broken = {
      type: "response.output_item.done",
      get value(): never {
        throw new SyntaxError("bad");
      },
    };
    expect(encoder.push(broken as unknown as UpstreamEvent)).toContain("event: response.failed\n");
  });
});

describe("native streams", () => {
  const native = bodyOf({ stream: true, store: false, input: [{ type: "additional_tools", tools: [] }] });
  responsesDialect.toCanonical(native, () => undefined);

  it.each(fixtureNames)("%s passes untouched", (name) => {
    const list = [...events({ type: "codex.rate_limits" }), ...eventsOf(name)];
    const expected = list.map((event) => `event: ${event.type}\ndata: ${event.data}\n\n`).join("");
    expect(encodeText(list, native)).toBe(expected);
  });

  it("fail as response.failed, which Codex reads", () => {
    const encoder = responsesDialect.createEncoder(native, context);
    expect(encoder.fail(new ProxyError("upstream_protocol", "cut"))).toBe(
      'event: response.failed\ndata: {"type":"response.failed","response":{"id":"resp_ctx1","status":"failed","error":{"code":"server_error","message":"cut"}}}\n\n',
    );
  });
});

/** A legal upstream stream: items one after another, each told by deltas or only as a whole. */
const item = fc.oneof(
  fc
    .string()
    .map((text): OutputItem => ({ type: "message", role: "assistant", content: [{ type: "output_text", text }] })),
  fc.string().map((input): OutputItem => ({ type: "custom_tool_call", call_id: "c1", name: "t", input })),
  fc.json().map((json): OutputItem => ({ type: "function_call", call_id: "c2", name: "f", arguments: json })),
  fc
    .string()
    .map(
      (text): OutputItem => ({ type: "reasoning", summary: [{ type: "summary_text", text }], encrypted_content: "e" }),
    ),
);
const stream = fc.array(fc.record({ item, withAdded: fc.boolean(), numbered: fc.boolean() }), { maxLength: 5 });

describe("any stream", () => {
  it("has contiguous numbers and ends with the whole answer", () => {
    fc.assert(
      fc.property(stream, fc.boolean(), (items, filled) => {
        const values: Record<string, unknown>[] = [created];
        items.forEach((entry, output_index) => {
          const extra = entry.numbered ? { sequence_number: values.length } : {};
          if (entry.withAdded)
            values.push({ type: "response.output_item.added", output_index, item: entry.item, ...extra });
          values.push({ type: "response.output_item.done", ...extra, output_index, item: entry.item });
        });
        const output = filled ? items.map((entry) => entry.item) : [];
        values.push({ type: "response.completed", response: { id: "resp_1", output } });
        const sent = encode(events(...values), streamed);
        expect(numbers(sent)).toEqual(counting(sent));
        expect(terminalOf(sent)).toEqual(whole(events(...values), streamed));
      }),
    );
  });
});
