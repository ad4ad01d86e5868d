import { describe, expect, it } from "vitest";
import { createCollector } from "../../../src/canonical/collect.ts";
import { makeEvent } from "../../../src/canonical/event.ts";
import { demoEvents } from "../../../src/demo/answer.ts";
import { sampleOf } from "../../../src/demo/schema-sample.ts";

const user = (...content: object[]) => ({ type: "message", role: "user", content });
const text = (value: string) => ({ type: "input_text", text: value });
const weather = {
  type: "function",
  name: "get_weather",
  parameters: {
    type: "object",
    properties: { city: { type: "string" }, days: { type: "integer", minimum: 2 } },
    required: ["city", "days"],
  },
};

function answer(body: Record<string, unknown>) {
  const collector = createCollector();
  for (const event of demoEvents({ model: "demo-large", ...body }, "resp_1", 1)) collector.push(makeEvent(event));
  return collector.finish();
}
const said = (body: Record<string, unknown>) => JSON.stringify(answer(body).output);

describe("demoEvents", () => {
  it("answers text with text and usage", () => {
    const { output, usage } = answer({ input: [user(text("good morning"))] });
    expect(JSON.stringify(output)).toContain("good morning");
    expect(usage).toMatchObject({ input_tokens: expect.any(Number), output_tokens: expect.any(Number) });
  });

  it("calls the tool that the user asks for with arguments that fit its schema, then quotes the result", () => {
    const asked = [user(text("What is the weather in Rome?"))];
    expect(answer({ input: asked, tools: [weather] }).output).toMatchObject([
      { type: "function_call", name: "get_weather", arguments: '{"city":"demo","days":2}' },
    ]);
    const result = { type: "function_call_output", call_id: "call_demo", output: "sunny, 24 degrees" };
    expect(said({ input: [...asked, result], tools: [weather] })).toContain("sunny, 24 degrees");
  });

  it("finds tools in the lite shape and calls none that do not fit", () => {
    const lite = { type: "additional_tools", role: "developer", tools: [weather] };
    expect(said({ input: [lite, user(text("weather, please"))] })).toContain("get_weather");
    expect(said({ input: [lite, user(text("tell me a joke"))] })).toContain("tell me a joke");
    expect(said({ input: [user(text("weather"))], tools: [weather], tool_choice: "none" })).not.toContain(
      "get_weather",
    );
  });

  it("describes an image and answers JSON for a schema", () => {
    const image = { type: "input_image", image_url: "data:image/png;base64,AAAA" };
    expect(said({ input: [user(text("what is this"), image)] })).toContain("image/png with 3 bytes");
    const format = { type: "json_schema", schema: weather.parameters };
    expect(said({ input: [user(text("x"))], text: { format } })).toContain(
      JSON.stringify('{"city":"demo","days":2}').slice(1, -1),
    );
  });
});

describe("sampleOf", () => {
  it("follows references, enums, arrays and nested objects", () => {
    const schema = {
      $defs: { kind: { enum: ["a", "b"] } },
      type: "object",
      properties: {
        kind: { $ref: "#/$defs/kind" },
        list: { type: "array", items: { type: "boolean" }, minItems: 2 },
        none: { type: ["string", "null"] },
      },
    };
    expect(sampleOf(schema)).toEqual({ kind: "a", list: [true, true], none: "demo" });
  });
  it("ends on a schema that contains itself", () => {
    const schema = { type: "object", properties: { next: { $ref: "#" } } };
    expect(JSON.stringify(sampleOf(schema)).length).toBeLessThan(500);
  });
});
