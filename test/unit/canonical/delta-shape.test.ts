import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DeltaShapes, type FrequentDelta } from "../../../src/canonical/delta-shape.ts";
import { readEvent } from "../../../src/canonical/event.ts";

const TEXT = "response.output_text.delta";
const ALL: Readonly<Record<FrequentDelta, object>> = {
  [TEXT]: { item_id: "msg_1", output_index: 1, content_index: 0, delta: "x" },
  "response.function_call_arguments.delta": { item_id: "fc_1", output_index: 2, delta: "{" },
  "response.reasoning_summary_text.delta": { item_id: "rs_1", output_index: 0, summary_index: 3, delta: "x" },
};
const upstreams = {
  type: TEXT,
  sequence_number: 10,
  ...ALL[TEXT],
  logprobs: [],
  obfuscation: "y",
};

/** Shapes that know how `example` is written. */
function knowing(example: { type: string }): DeltaShapes {
  const shapes = new DeltaShapes(example.type as FrequentDelta);
  shapes.learn(JSON.stringify(example));
  return shapes;
}

describe("DeltaShapes", () => {
  test.each(Object.entries(ALL))("reads the fields of another %s", (type, fields) => {
    const next = { type, ...fields, item_id: "other", delta: 'say "no"\n\u2028é😀', sequence_number: 999_999 };
    const shapes = knowing({ type, ...fields, sequence_number: 1 } as { type: string });

    const { sequence_number: _, ...read } = next;
    expect(shapes.read(JSON.stringify(next))).toEqual(read);
  });

  test("reads any text and any order of fields as JSON.parse does", () => {
    const names = Object.keys(upstreams).slice(1) as (keyof typeof upstreams)[];
    fc.assert(
      fc.property(
        fc.shuffledSubarray(names, { minLength: names.length }),
        fc.string({ unit: "binary", maxLength: 40 }),
        fc.nat(9_999),
        (order, delta, output_index) => {
          const write = (value: typeof upstreams) => ({
            type: TEXT,
            ...Object.fromEntries(order.map((name) => [name, value[name]])),
          });
          const shapes = knowing(write(upstreams));
          const value = { ...upstreams, delta, output_index };
          const read = shapes.read(JSON.stringify(write(value)));
          expect(read).toEqual({ type: TEXT, item_id: "msg_1", output_index, content_index: 0, delta });
        },
      ),
    );
  });

  const written = JSON.stringify(upstreams);
  test.each([
    ["cut off", written.slice(0, -1)],
    ["with more behind it", `${written}}`],
    ["with a raw tab", written.replace('"x"', '"\t"')],
    ["with an escape that JSON has not", written.replace('"x"', String.raw`"\x41"`)],
    ["with half an escape", written.replace('"x"', String.raw`"\u12"`)],
    ["with an open string", written.replace('"x"', '"x')],
    ["with a quote that ends its text early", written.replace('"x"', '"x"y"')],
    ["with a number that JSON has not", written.replace('"output_index":1', '"output_index":01')],
    ["with an index that no answer has", written.replace('"output_index":1', '"output_index":10000')],
    ["with a negative index", written.replace('"output_index":1', '"output_index":-1')],
    ["with a null index", written.replace('"output_index":1', '"output_index":null')],
    ["with logprobs", written.replace("[]", '[{"token":"x"}]')],
    ["with a field more", written.replace('"logprobs"', '"new":1,"logprobs"')],
    ["with a field less", written.replace(',"logprobs":[]', "")],
    ["with blanks", written.replaceAll(":", ": ")],
    ["of megabytes", written.replace('"x"', JSON.stringify("\n".repeat(8_000_000)))],
    ["of another type", written.replace("output_text", "outputstext")],
  ])("leaves a text %s to the parser", (_, text) => {
    expect(knowing(upstreams).read(text)).toBeUndefined();
  });

  test.each([
    ["a missing index", { type: TEXT, item_id: "a", content_index: 0, delta: "x" }],
    ["an object", { ...upstreams, extra: {} }],
    ["a list", { ...upstreams, logprobs: [1] }],
    ["a name that is no name", { ...upstreams, 'a":1,"b': 1 }],
  ])("learns nothing from %s", (_, example) => {
    expect(knowing(example).read(JSON.stringify(example))).toBeUndefined();
  });

  test("learns nothing from megabytes", () => {
    const long = { ...upstreams, obfuscation: "x".repeat(100_000) };
    const shapes = knowing(long);
    expect(shapes.read(written)).toBeUndefined();
  });

  test("remembers no more than four shapes", () => {
    const shapes = new DeltaShapes(TEXT);
    const examples = Array.from({ length: 6 }, (_, index) => ({ ...upstreams, [`f${"x".repeat(index)}`]: 1 }));
    for (const example of examples) shapes.learn(JSON.stringify(example));
    const known = examples.map((example) => shapes.read(JSON.stringify(example)) !== undefined);
    expect(known).toEqual([true, true, true, true, false, false]);
  });
});

describe("the value of a frequent delta", () => {
  test("is the same by its shape and by the parser", () => {
    for (const text of ["a", 'b"\\', "", "\u{1f600}"]) {
      const { value } = readEvent(JSON.stringify({ ...upstreams, delta: text }))!;
      expect(value).toMatchObject({ type: TEXT, output_index: 1, content_index: 0, item_id: "msg_1", delta: text });
    }
  });

  test("that is malformed is refused although its like were read", () => {
    for (const delta of [1, null, {}]) {
      const event = readEvent(JSON.stringify({ ...upstreams, delta }))!;
      expect(() => event.value).toThrow("malformed");
    }
    const broken = readEvent(JSON.stringify(upstreams).replace('"x"', '"\t"'))!;
    expect(() => broken.value).toThrow(SyntaxError);
  });
});
