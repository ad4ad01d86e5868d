import fc from "fast-check";
import { expect, it } from "vitest";
import { type CanonicalEvent, makeEvent } from "../../src/canonical/event.ts";
import { responsesDialect } from "../../src/dialects/responses/index.ts";
import { context } from "../unit/dialects/responses/support.ts";
import { expectLegalStream, type Json } from "./expect-legal.ts";

/** Any of the given fields, or none, or null in its place: upstream leaves out what it likes. */
const sparse = (fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Json> =>
  fc.record(Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, fc.option(value, { freq: 5 })])), {
    requiredKeys: [],
  });

const text = fc.string({ maxLength: 12 });
const part = fc.oneof(
  text.map((value) => ({ type: "output_text", text: value })),
  text.map((refusal) => ({ type: "refusal", refusal })),
);
const item = fc.oneof(
  fc
    .tuple(fc.array(part, { maxLength: 3 }), sparse({ id: fc.constant("msg_1"), phase: fc.constant("final_answer") }))
    .map(([content, more]) => ({ type: "message", role: "assistant", ...more, content })),
  fc
    .tuple(text, sparse({ id: fc.constant("fc_1"), status: fc.constant("completed"), namespace: fc.constant("n") }))
    .map(([args, more]) => ({ type: "function_call", ...more, call_id: "call_1", name: "f", arguments: args })),
  fc
    .tuple(text, sparse({ id: fc.constant("ctc_1") }))
    .map(([input, more]) => ({ type: "custom_tool_call", ...more, call_id: "call_2", name: "g", input })),
  fc
    .tuple(fc.array(text, { maxLength: 2 }), sparse({ encrypted_content: text, content: fc.constant([]) }))
    .map(([summary, more]) => ({
      type: "reasoning",
      ...more,
      summary: summary.map((value) => ({ type: "summary_text", text: value })),
    })),
  sparse({ id: fc.constant("ws_1"), status: fc.constant("completed") }).map((more) => ({
    type: "web_search_call",
    ...more,
  })),
);
const ending = fc.constantFrom("completed", "incomplete", "failed", "none");

it("makes a legal stream of whatever items upstream tells, in whole or in part", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(item, fc.boolean()), { maxLength: 4 }), ending, (items, end) => {
      const body = responsesDialect.readRequest({ model: "gpt-5.5", input: "hi" });
      const encoder = responsesDialect.createEncoder(body, context);
      let stream = "";
      const push = (event: object) => {
        stream += encoder.push(makeEvent(event as CanonicalEvent));
      };
      push({ type: "response.created", response: { id: "resp_1", status: "in_progress" } });
      for (const [index, [one, told]] of items.entries()) {
        if (told) push({ type: "response.output_item.added", output_index: index, item: { ...one, id: `x_${index}` } });
        push({
          type: "response.output_item.done",
          output_index: index,
          item: { ...one, id: told ? `x_${index}` : one.id },
        });
      }
      if (end !== "none") push({ type: `response.${end}`, response: { id: "resp_1", status: end, ...REASONS[end] } });
      const events = expectLegalStream(stream);
      if (end === "completed") expect(events.at(-1).response.output).toHaveLength(items.length);
    }),
    { numRuns: 200 },
  );
});

const REASONS: Record<string, object> = {
  incomplete: { incomplete_details: { reason: "max_output_tokens" } },
  failed: { error: { code: "server_error", message: "broken" } },
};
