import { describe, expect, it } from "vitest";
import { createCollector } from "../../../../src/canonical/collect.ts";
import { compactDialect } from "../../../../src/dialects/responses/compact.ts";
import { context, eventsOf, noHeaders } from "./support.ts";

const collect = (name: string) => {
  const collector = createCollector();
  for (const event of eventsOf(name)) collector.push(event);
  return collector.finish();
};
const input = [
  { role: "user", content: "build it" },
  { role: "assistant", content: "done" },
  { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
  { type: "function_call_output", call_id: "c", output: "ok" },
];

describe("compactDialect", () => {
  it("asks with a trigger as the last item, neither streamed nor stored", () => {
    const body = compactDialect.readRequest({ model: "m", input, stream: true });
    expect(compactDialect.isStream(body)).toBe(false);
    const items = compactDialect.toCanonical(body, noHeaders).body.input;
    expect(items).toHaveLength(5);
    expect(items.at(-1)).toEqual({ type: "compaction_trigger" });
  });

  it("answers with the people's messages and the compaction item", () => {
    const body = compactDialect.readRequest({ model: "m", input });
    expect(compactDialect.fromCanonical([collect("compaction.sse")], body, context)).toMatchObject({
      id: "resp_ctx1",
      object: "response.compaction",
      created_at: context.createdAt,
      output: [
        { type: "message", role: "user", id: "msg_ctx1_0", content: [{ type: "input_text", text: "build it" }] },
        { type: "compaction", id: "cmp_1", encrypted_content: "gAAAAABcmp" },
      ],
      usage: { input_tokens: 300, output_tokens: 8, total_tokens: 308 },
    });
  });

  it("takes its own answer as the next input", () => {
    const body = compactDialect.readRequest({ model: "m", input: "hello" });
    const { output } = compactDialect.fromCanonical([collect("compaction.sse")], body, context) as { output: object[] };
    const next = compactDialect.readRequest({ model: "m", input: output });
    expect(compactDialect.toCanonical(next, noHeaders).body.input).toEqual([
      { type: "message", role: "user", content: [{ type: "input_text", text: "hello" }] },
      { type: "compaction", encrypted_content: "gAAAAABcmp" },
      { type: "compaction_trigger" },
    ]);
  });

  it("is an error when upstream answered with something else", () => {
    const body = compactDialect.readRequest({ model: "m", input });
    const give = () => compactDialect.fromCanonical([collect("text-with-reasoning.sse")], body, context);
    expect(give).toThrow(expect.objectContaining({ kind: "upstream_protocol" }));
  });
});
