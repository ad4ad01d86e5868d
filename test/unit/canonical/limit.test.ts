import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { createCollector } from "../../../src/canonical/collect.ts";
import {
  type CanonicalEvent,
  makeEvent,
  type OutputItem,
  readEvent,
  type UpstreamEvent,
} from "../../../src/canonical/event.ts";
import { createLimiter, type LocalLimits } from "../../../src/canonical/limit.ts";

/** One token a word, so that expectations can be read. */
const words = {
  count: (text: string) => text.split(" ").filter((word) => word !== "").length,
  truncate(text: string, tokens: number) {
    let out = "";
    for (const match of text.matchAll(/ *[^ ]+/g)) {
      if (words.count(out + match[0]) > tokens) break;
      out += match[0];
    }
    return out;
  },
  inputTokens: () => 7,
  prepare() {},
};

function stream(deltas: string[], options: { itemOnly?: boolean } = {}): CanonicalEvent[] {
  const text = deltas.join("");
  const part = { type: "output_text", text, annotations: [] } as const;
  const item = { type: "message", id: "msg_1", role: "assistant", content: [part] } as unknown as OutputItem;
  const place = { output_index: 0, content_index: 0, item_id: "msg_1" };
  return [
    { type: "response.created", response: { id: "resp_1" } },
    {
      type: "response.output_item.added",
      output_index: 0,
      item: { type: "message", id: "msg_1", role: "assistant", content: [] },
    },
    ...(options.itemOnly
      ? []
      : deltas.map((delta): CanonicalEvent => ({ type: "response.output_text.delta", ...place, delta }))),
    { type: "response.output_text.done", ...place, text },
    { type: "response.output_item.done", output_index: 0, item },
    {
      type: "response.completed",
      response: {
        id: "resp_1",
        status: "completed",
        output: [],
        usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
      },
    },
  ];
}

function run(limits: Partial<LocalLimits>, events: CanonicalEvent[]) {
  const limiter = createLimiter({ stop: [], maxOutputTokens: undefined, ...limits }, words);
  const out: UpstreamEvent[] = [];
  for (const event of events) limiter.push(makeEvent(event), (made) => out.push(made));
  const collector = createCollector();
  for (const event of out) collector.push(event);
  const deltas = out.flatMap(({ value }) => (value.type === "response.output_text.delta" ? [value.delta] : []));
  const answer = collector.finish();
  const message = answer.output[0];
  const text =
    message?.type === "message" ? message.content.map((part) => ("text" in part ? part.text : "")).join("") : "";
  return { out, deltas, answer, text, done: limiter.done() };
}

describe("createLimiter", () => {
  it("asks for the tokenizer only when the limit comes into reach", () => {
    for (const [length, expected] of [
      [5, 0],
      [300, 1],
    ] as const) {
      const prepare = vi.fn();
      const limiter = createLimiter({ stop: [], maxOutputTokens: 500 }, { ...words, prepare });
      for (const event of stream(Array.from({ length }, () => "four "))) limiter.push(makeEvent(event), () => {});
      expect(prepare).toHaveBeenCalledTimes(expected);
    }
  });

  it("cuts at a stop string inside a delta and reports it", () => {
    const { deltas, answer, text, done } = run({ stop: ["END"] }, stream(["one two END three"]));
    expect(deltas.join("")).toBe("one two ");
    expect(text).toBe("one two ");
    expect(answer).toMatchObject({
      status: "completed",
      local_stop: "END",
      usage: { input_tokens: 7, output_tokens: 2, total_tokens: 9 },
    });
    expect(done).toBe(true);
  });

  it("finds a stop string that spans deltas", () => {
    expect(run({ stop: ["\n\nHuman:"] }, stream(["a\n", "\nHu", "man", ": b"])).deltas.join("")).toBe("a");
  });

  it("releases what only looked like the start of a stop string", () => {
    const { deltas, answer } = run({ stop: ["END"] }, stream(["x E", "N", "d EN"]));
    expect(deltas.join("")).toBe("x ENd EN");
    expect(answer.local_stop).toBeUndefined();
    expect(answer.usage).toMatchObject({ input_tokens: 1 });
  });

  it("takes the stop string that is complete first, in any cut", () => {
    for (const deltas of [["x abc"], ["x a", "b", "c"]]) {
      const { answer, deltas: out } = run({ stop: ["abc", "b"] }, stream(deltas));
      expect([out.join(""), answer.local_stop]).toEqual(["x a", "b"]);
    }
  });

  it("takes the stop string that comes first in the text", () => {
    expect(run({ stop: ["zz", "b"] }, stream(["a b zz"])).answer.local_stop).toBe("b");
  });

  it("cuts text that comes only with the finished item", () => {
    expect(run({ stop: ["END"] }, stream(["one END two"], { itemOnly: true })).text).toBe("one ");
  });

  it("ends at the token limit with an incomplete response", () => {
    const { deltas, answer } = run({ maxOutputTokens: 3 }, stream(["one two", " three four", " five"]));
    expect(deltas.join("")).toBe("one two three");
    expect(answer).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
      usage: { output_tokens: 3 },
    });
  });

  it("counts an answer that comes near its limit a hundred times, not at every delta", () => {
    let counts = 0;
    const count = (text: string) => {
      counts++;
      return words.count(text);
    };
    const limiter = createLimiter({ stop: [], maxOutputTokens: 5_000 }, { ...words, count });
    const shown: string[] = [];
    for (const event of stream(Array.from({ length: 6_000 }, (_, index) => `token${index} `))) {
      limiter.push(makeEvent(event), ({ value }) => {
        if (value.type === "response.output_text.delta") shown.push(value.delta);
      });
    }
    expect(words.count(shown.join(""))).toBe(5_000);
    expect(counts).toBeLessThan(400);
  });

  it("leaves an answer that has exactly the limit alone", () => {
    expect(run({ maxOutputTokens: 3 }, stream(["one two", " three"])).answer.status).toBe("completed");
  });

  it("emits nothing after the end and closes what is open", () => {
    const { out } = run({ stop: ["b"] }, stream(["a", "b", "c"]));
    expect(out.map((event) => event.type)).toEqual([
      "response.created",
      "response.output_item.added",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
  });

  it("cuts tool arguments at the token limit too", () => {
    const { answer } = run({ maxOutputTokens: 1 }, [
      { type: "response.created", response: { id: "r" } },
      {
        type: "response.output_item.added",
        output_index: 0,
        item: { type: "function_call", call_id: "c", name: "f", arguments: "" },
      },
      { type: "response.function_call_arguments.delta", output_index: 0, delta: '{"a": 1, "b": 2}' },
    ]);
    expect(answer).toMatchObject({ status: "incomplete", output: [{ arguments: '{"a":', status: "incomplete" }] });
  });

  it("gives the text before the first stop string for any text, stops and cut into deltas", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 30 });
    const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 6 }), stops, (deltas, stop) => {
        const whole = deltas.join("");
        const found = stop.map((one) => ({ at: whole.indexOf(one), one })).filter(({ at }) => at >= 0);
        found.sort((a, b) => a.at + a.one.length - (b.at + b.one.length) || a.at - b.at);
        const expected = whole.slice(0, found[0]?.at ?? whole.length);
        expect(run({ stop }, stream(deltas)).deltas.join("")).toBe(expected);
      }),
    );
  });

  it("keeps all fields of a delta that it cuts, also of one that was read by its shape", () => {
    const event = (delta: string) =>
      readEvent(
        JSON.stringify({
          type: "response.output_text.delta",
          sequence_number: 3,
          item_id: "msg_1",
          output_index: 0,
          content_index: 0,
          delta,
          logprobs: [],
        }),
      ) as UpstreamEvent;
    const out: UpstreamEvent[] = [];
    const limiter = createLimiter({ stop: ["end"], maxOutputTokens: undefined }, words);
    for (const delta of ["one ", "two ", "three end"]) limiter.push(event(delta), (made) => out.push(made));

    expect(out.slice(0, 3).map(({ data }) => JSON.parse(data))).toEqual(
      ["one ", "two ", "three "].map((delta) => ({ ...JSON.parse(event(delta).data), delta })),
    );
  });
});
