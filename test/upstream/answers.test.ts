import { afterAll, beforeAll, expect, test } from "vitest";
import { classicBody, doneItems, LITE, liteBody, parseSse, postSeat, textOf, userMessage } from "./helpers.ts";
import { startUpstream, type Upstream } from "./index.ts";
import type { JsonObject } from "./json.ts";

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());

async function ask(body: JsonObject, headers: Record<string, string> = {}): Promise<JsonObject[]> {
  const response = await postSeat(upstream, body, headers);
  const text = await response.text();
  expect(text, text).toContain("response.created");
  return parseSse(text);
}

function finalOf(events: readonly JsonObject[]): JsonObject {
  const response = events.at(-1)?.response;
  return response === undefined ? {} : (response as JsonObject);
}

const weather = {
  type: "function",
  name: "weather",
  strict: false,
  parameters: {
    type: "object",
    properties: { city: { type: "string" }, days: { type: "integer", minimum: 2 } },
    required: ["city", "days"],
  },
};

test("a text is answered in upstream's event order, in several deltas, with an empty final output", async () => {
  const events = await ask(classicBody({ input: [userMessage("hello there")], reasoning: { effort: "none" } }));
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
  const types = events.map((event) => event.type).filter((type, index, all) => all[index - 1] !== type);
  expect(types).toEqual([
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
  const deltas = events.filter((event) => event.type === "response.output_text.delta").map((event) => event.delta);
  expect(deltas.length).toBeGreaterThan(3);
  expect(deltas.join("")).toBe("You said: hello there 👋🌍 — done.");
  expect(textOf(doneItems(events))).toBe(deltas.join(""));
  const final = finalOf(events);
  expect(final.output).toEqual([]);
  expect(final.usage).toMatchObject({ total_tokens: expect.any(Number) });
});

test("directives on the classic lane call several tools at once, their deltas interleaved", async () => {
  const text = '[[tool name=weather args={"city":"Rome","days":3}]] [[tool name=weather]]';
  const events = await ask(
    classicBody({ input: [userMessage(text)], tools: [weather], reasoning: { effort: "none" } }),
  );
  const calls = doneItems(events);
  expect(calls.map((call) => JSON.parse(String(call.arguments)))).toEqual([
    { city: "Rome", days: 3 },
    { city: "sample", days: 2 },
  ]);
  const lanes = events
    .filter((event) => event.type === "response.function_call_arguments.delta")
    .map((event) => event.output_index);
  expect(lanes.slice(0, 2)).toEqual([0, 1]);
});

test("directives on the lite lane call one tool after another, then quote every output", async () => {
  const head = { type: "additional_tools", role: "developer", tools: [weather, { type: "custom", name: "patch" }] };
  const input: JsonObject[] = [
    head,
    userMessage('[[tool name=weather args={"city":"Rome"}]] [[tool name=patch args=*** add]]'),
  ];
  const first = doneItems(await ask(liteBody({ input }), LITE)).find((item) => item.type === "function_call");
  input.push(call(first), { type: "function_call_output", call_id: first?.call_id, output: "sunny" });
  const second = doneItems(await ask(liteBody({ input }), LITE)).find((item) => item.type === "custom_tool_call");
  expect(second?.input).toBe("*** add");
  input.push({ type: "custom_tool_call", call_id: second?.call_id, name: "patch", input: "*** add" });
  input.push({ type: "custom_tool_call_output", call_id: second?.call_id, output: "patched" }, userMessage("go on"));
  expect(textOf(doneItems(await ask(liteBody({ input }), LITE)))).toBe("TOOL-RESULT: sunny\nTOOL-RESULT: patched");
});

function call(item: JsonObject | undefined): JsonObject {
  return { type: "function_call", call_id: item?.call_id, name: item?.name, arguments: item?.arguments };
}

test("a forced tool is called though no directive asks for it", async () => {
  const items = doneItems(
    await ask(classicBody({ tools: [weather], tool_choice: { type: "function", name: "weather" } })),
  );
  expect(items.at(-1)).toMatchObject({ type: "function_call", name: "weather" });
  const required = doneItems(await ask(classicBody({ tools: [weather], tool_choice: "required" })));
  expect(required.at(-1)).toMatchObject({ type: "function_call", name: "weather" });
});

test("reasoning has a summary only when asked, and encrypted content only when included", async () => {
  const bare = doneItems(await ask(classicBody({ reasoning: { effort: "low" } })))[0];
  expect(bare).toEqual({ id: expect.stringMatching(/^rs_/), type: "reasoning", summary: [] });
  const full = doneItems(
    await ask(classicBody({ reasoning: { effort: "low", summary: "auto" }, include: ["reasoning.encrypted_content"] })),
  )[0];
  expect(full?.encrypted_content).toMatch(/^gAAAAA/);
  expect(full?.summary).toHaveLength(1);
  const none = { reasoning: { effort: "none" } };
  expect(doneItems(await ask(classicBody(none)))[0]?.type).toBe("message");
  expect(doneItems(await ask(classicBody({ ...none, input: [userMessage("[[reason]]")] })))[0]?.type).toBe("reasoning");
});

test("web search answers with sources when included and a citation inside the text", async () => {
  const tools = [{ type: "web_search" }];
  const input = [userMessage("Perform a web search for the query: cats")];
  const items = doneItems(
    await ask(
      classicBody({ input, tools, include: ["web_search_call.action.sources"], reasoning: { effort: "none" } }),
    ),
  );
  expect(items[0]).toMatchObject({
    type: "web_search_call",
    action: { query: "cats", sources: [{ type: "url" }, { type: "url" }] },
  });
  type Cited = { text: string; annotations: { start_index: number; end_index: number }[] };
  const part = (items[1] as { content: Cited[] } | undefined)?.content[0];
  const citation = part?.annotations[0];
  expect(part?.text.slice(citation?.start_index, citation?.end_index)).toBe("Results for cats");
});

test("images, refusals, long texts, schemas and attachments each have their answer", async () => {
  const none = { reasoning: { effort: "none" } };
  const image = doneItems(
    await ask(classicBody({ ...none, input: [userMessage("[[image]]")], tools: [{ type: "image_generation" }] })),
  );
  expect(image[0]).toMatchObject({ type: "image_generation_call", result: expect.any(String) });
  const refusal = doneItems(await ask(classicBody({ ...none, input: [userMessage("[[refuse]]")] })));
  expect(refusal[0]?.content).toEqual([{ type: "refusal", refusal: "I can't help with that." }]);
  expect(textOf(doneItems(await ask(classicBody({ ...none, input: [userMessage("[[long 3]]")] }))))).toBe("w0 w1 w2 ");
  const schema = {
    type: "object",
    properties: { a: { type: "string", enum: ["x"] } },
    required: ["a"],
    additionalProperties: false,
  };
  const text = { format: { type: "json_schema", name: "s", strict: true, schema } };
  expect(textOf(doneItems(await ask(classicBody({ ...none, text }))))).toBe('{"a":"x"}');
  const content = [
    { type: "input_image", image_url: "data:image/png;base64,AAAA" },
    { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,AAAAAA==" },
  ];
  const attached = textOf(doneItems(await ask(classicBody({ ...none, input: [{ role: "user", content }] }))));
  expect(attached).toContain("IMAGE:image/png:3\nFILE:a.pdf:4");
});

test("compaction answers with one sealed item that the same account may replay", async () => {
  const input = [userMessage("hi"), { type: "compaction_trigger" }];
  const [item] = doneItems(await ask(classicBody({ input })));
  expect(item?.type).toBe("compaction");
  const replay = classicBody({
    input: [{ type: "compaction", encrypted_content: item?.encrypted_content }, userMessage("hi")],
  });
  expect(textOf(doneItems(await ask(replay)))).toContain("hi");
});

test("cached tokens are those of the prefix shared with the last request of the same key", async () => {
  const cached = async (body: JsonObject) => {
    const usage = finalOf(await ask(body)).usage as { input_tokens_details: { cached_tokens: number } };
    return usage.input_tokens_details.cached_tokens;
  };
  const long = userMessage("word ".repeat(200));
  expect(await cached(classicBody({ input: [long], prompt_cache_key: "k1" }))).toBe(0);
  expect(await cached(classicBody({ input: [long, userMessage("more")], prompt_cache_key: "k1" }))).toBeGreaterThan(
    200,
  );
  expect(await cached(classicBody({ instructions: "Other.", input: [long], prompt_cache_key: "k1" }))).toBeLessThan(32);
});
