import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { encode, eventsOf, fixtureNames, whole } from "./support.ts";

const types = readFileSync(
  createRequire(import.meta.url)
    .resolve("openai/resources/responses/responses")
    .replace(/\.js$/, ".d.ts"),
  "utf8",
);

/** Names of the fields that an interface of the SDK's generated types requires, and its `type` literal. */
function readInterfaces(text: string): Map<string, { type: string | undefined; required: string[] }> {
  const found = new Map<string, { type: string | undefined; required: string[] }>();
  const plain = text.replaceAll(/\/\*[\s\S]*?\*\//g, "");
  for (const [, name, body] of plain.matchAll(/^export interface (\w+) \{\n([\s\S]*?)^\}/gm)) {
    const required = [...(body ?? "").matchAll(/^ {4}(\w+): /gm)].map((match) => match[1] as string);
    found.set(name as string, { type: /^ {4}type: '([^']+)'/m.exec(body ?? "")?.[1], required });
  }
  return found;
}

const interfaces = readInterfaces(types);
const byType = new Map(
  [...interfaces]
    .filter(([name]) => name.startsWith("Response") && name.endsWith("Event"))
    .map(([, { type, required }]) => [type, required]),
);
const ITEMS: Record<string, string> = {
  message: "ResponseOutputMessage",
  function_call: "ResponseFunctionToolCallItem",
  custom_tool_call: "ResponseCustomToolCall",
  reasoning: "ResponseReasoningItem",
  web_search_call: "ResponseFunctionWebSearch",
  compaction: "ResponseCompactionItem",
};

function expectItem(item: Record<string, unknown>): void {
  const name = ITEMS[String(item.type)] as string;
  for (const field of [...(interfaces.get(name)?.required ?? []), "id"]) expect(item, name).toHaveProperty(field);
}

function expectResponse(response: Record<string, unknown>): void {
  // The SDK computes `output_text` itself; it is not on the wire.
  const required = interfaces.get("Response")?.required.filter((field) => field !== "output_text") ?? [];
  expect(required).toContain("parallel_tool_calls");
  const sent = JSON.parse(JSON.stringify(response));
  for (const field of required) expect(sent).toHaveProperty(field);
  expect(sent.usage).toMatchObject({ input_tokens_details: {}, output_tokens_details: {} });
  for (const item of sent.output) expectItem(item);
}

describe("agreement with the SDK's generated types", () => {
  it("reads them", () => {
    expect(byType.get("response.output_text.delta")?.sort()).toEqual([
      "content_index",
      "delta",
      "item_id",
      "logprobs",
      "output_index",
      "sequence_number",
      "type",
    ]);
  });

  it.each(fixtureNames)("every event of %s has the fields that its type requires", (name) => {
    for (const event of encode(eventsOf(name))) {
      const required = byType.get(event.type);
      expect(required, event.type).toBeDefined();
      for (const field of required ?? []) expect(event, event.type).toHaveProperty(field);
      if (event.response) expectResponse(event.response as Record<string, unknown>);
      if (event.item) expectItem(event.item as Record<string, unknown>);
      const part = event.part as Record<string, unknown> | undefined;
      if (part?.type === "output_text") expect(part).toMatchObject({ annotations: [], logprobs: [] });
    }
  });

  it.each(fixtureNames)("a whole answer of %s has them too", (name) => {
    const answer = whole(eventsOf(name));
    if (answer) expectResponse(answer);
  });
});
