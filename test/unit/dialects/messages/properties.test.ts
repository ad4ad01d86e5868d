import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { repairInput } from "../../../../src/canonical/repair.ts";
import { messagesDialect } from "../../../../src/dialects/messages/index.ts";
import { checkItems } from "../../../upstream/rules-items.ts";
import { checkTools } from "../../../upstream/rules-tools.ts";
import { assemble, encode, events, type Json, noHeader, request, whole } from "./support.ts";

const words = fc.string({ maxLength: 12 });
const spoken = fc.string({ minLength: 1, maxLength: 12 });
const text = fc.record({ type: fc.constant("text"), text: words });
const image = fc.constantFrom(
  { type: "image", source: { type: "base64", media_type: "image/png", data: "aWlp" } },
  { type: "image", source: { type: "url", url: "https://e.org/a.png" } },
  { type: "image", source: { type: "file", file_id: "file_1" } },
);
const document = fc
  .tuple(
    fc.constantFrom(
      { type: "base64", media_type: "application/pdf", data: "aWlp" },
      { type: "url", url: "https://e.org/a.pdf" },
      { type: "text", media_type: "text/plain", data: "body" },
      {
        type: "content",
        content: [
          { type: "text", text: "" },
          { type: "text", text: "a" },
        ],
      },
    ),
    fc.option(words, { nil: undefined }),
  )
  .map(([source, title]) => ({ type: "document", source, ...(title === undefined ? {} : { title }) }));
const found = fc.constant({ type: "search_result", title: "T", source: "s", content: [{ type: "text", text: "x" }] });
const other = fc.constantFrom(
  { type: "container_upload", file_id: "file_1" },
  { type: "tool_reference", tool_name: "t" },
  { type: "made_up_block", value: [1, { a: null }] },
);
const part = fc.oneof(text, image, document, found, other);
const content = fc.oneof(words, fc.array(part, { maxLength: 4 }));
const id = fc.integer({ min: 0, max: 5 }).map((n) => `toolu_${n}`);
const result = fc.record(
  { type: fc.constant("tool_result"), tool_use_id: id, content, is_error: fc.boolean() },
  { requiredKeys: ["type", "tool_use_id"] },
);
const signature = fc.constantFrom("codex-1:m:b3BhcXVl", "codex-1:n:b3BhcXVl", "EqQBCgIYAhIM", "");
const use = fc.record({
  type: fc.constant("tool_use"),
  id,
  name: fc.constant("t"),
  input: fc.dictionary(words, words),
});
const said = fc.oneof(
  text,
  use,
  fc.record({ type: fc.constant("thinking"), thinking: words, signature }),
  fc.record({ type: fc.constant("redacted_thinking"), data: signature }),
  fc.constant({ type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "q" } }),
  fc.constant({ type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [] }),
);
const message = fc.oneof(
  fc.record({
    role: fc.constant("user"),
    content: fc.oneof(words, fc.array(fc.oneof(part, result), { maxLength: 5 })),
  }),
  fc.record({ role: fc.constant("assistant"), content: fc.oneof(words, fc.array(said, { maxLength: 5 })) }),
  fc.record({ role: fc.constant("system"), content: fc.oneof(words, fc.array(text, { maxLength: 3 })) }),
);
const history = fc.array(message, { maxLength: 8 });
const question = { role: "user", content: "go on" };

const toInput = (messages: Json[], fields: Json = {}) =>
  // As on its way upstream, where calls and results are paired for all dialects.
  repairInput(messagesDialect.toCanonical(request({ messages, ...fields }), noHeader).body.input);

describe("any history", () => {
  const rules = {
    platform: false,
    native: false,
    binding: "",
    model: "m",
    knownIds: new Set<string>(),
    namespaces: new Set<string>(),
  };
  // Whether a blob opens is the backend's secret; the shape of every item is checked without it.
  const withoutBlobs = (items: readonly object[]) => items.filter((item) => (item as Json).type !== "reasoning");

  it.each([true, false])("is accepted by the strict upstream (lite: %s)", (lite) => {
    fc.assert(
      fc.property(history, fc.oneof(words, fc.array(text, { maxLength: 3 })), (messages, system) => {
        const items = toInput([...messages, question], { system });
        expect(() => checkItems(withoutBlobs(items), { ...rules, lite })).not.toThrow();
      }),
      { numRuns: 300 },
    );
  });

  it("loses no text", () => {
    fc.assert(
      fc.property(history, (messages) => {
        const marked = JSON.parse(
          JSON.stringify(messages).replaceAll(/"text":"[^"\\]*"/g, () => `"text":"MARK"`),
        ) as Json[];
        const marks = (value: unknown) => JSON.stringify(value).match(/MARK/g)?.length ?? 0;
        expect(marks(toInput([...marked, question]))).toBe(marks(marked));
      }),
    );
  });

  it("gives byte-equal input for equal histories, and a longer one only adds to it", () => {
    // A request is sent when no call is open, as the API demands.
    const turn = fc.tuple(fc.array(said, { maxLength: 4 }), content).map(([blocks, reply]) => {
      const calls = blocks.filter((block) => block.type === "tool_use") as { id: string }[];
      const results = calls.map((call) => ({ type: "tool_result", tool_use_id: call.id, content: reply }));
      return [
        { role: "assistant", content: blocks },
        { role: "user", content: [...results, { type: "text", text: "next" }] },
      ];
    });
    fc.assert(
      fc.property(fc.array(turn, { maxLength: 4 }), turn, (turns, last) => {
        const before = [question, ...turns.flat()];
        const short = JSON.stringify(toInput(before));
        expect(JSON.stringify(toInput(structuredClone(before)))).toBe(short);
        const long = JSON.stringify(toInput([...before, ...last]));
        expect(long.startsWith(short.slice(0, -1))).toBe(true);
      }),
    );
  });

  it("any tools are accepted by the strict upstream", () => {
    const schema = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom<unknown>(
          true,
          {},
          { type: "string" },
          { type: "array" },
          { type: ["object", "null"] },
          { enum: [] },
        ),
        fc.record(
          {
            type: fc.constantFrom<unknown>("object", "array", ["object"], "any"),
            properties: fc.oneof(fc.dictionary(fc.constantFrom("a", "b"), tie("node")), fc.constant(null)),
            required: fc.constantFrom<unknown>(["a"], [], null),
            items: tie("node"),
            additionalProperties: fc.constantFrom<unknown>(true, false, {}),
            anyOf: fc.array(tie("node"), { maxLength: 2 }),
            allOf: fc.array(tie("node"), { maxLength: 2 }),
            $ref: fc.constantFrom("#", "#/$defs/A", "#/properties/a", "elsewhere"),
            $defs: fc.record({ A: tie("node") }),
          },
          { requiredKeys: [] },
        ),
      ),
    })).node;
    const tool = fc.record({ name: fc.constantFrom("a", "b"), input_schema: schema, strict: fc.boolean() });
    fc.assert(
      fc.property(fc.array(tool, { maxLength: 3 }), (tools) => {
        const { body } = messagesDialect.toCanonical(request({ tools }), noHeader);
        expect(() => checkTools(body.tools ?? [], "tools", { lite: true, platform: false })).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});

describe("any upstream stream", () => {
  const call = fc.record({
    type: fc.constant("function_call"),
    call_id: fc.integer({ min: 0, max: 99 }).map((n) => `call_${n}`),
    name: fc.constantFrom("t", "Read"),
    arguments: fc.oneof(
      fc.constant(""),
      fc.dictionary(fc.constantFrom("pages", "x"), fc.constantFrom("", "1")).map((value) => JSON.stringify(value)),
    ),
  });
  const annotation = fc.constant({
    type: "url_citation",
    url: "https://e.org",
    title: "E",
    start_index: 0,
    end_index: 1,
  });
  const outputText = fc.record({
    type: fc.constant("output_text"),
    text: words,
    annotations: fc.array(annotation, { maxLength: 2 }),
  });
  const spokenMessage = fc.record({
    type: fc.constant("message"),
    role: fc.constant("assistant"),
    content: fc.array(fc.oneof(outputText, fc.record({ type: fc.constant("refusal"), refusal: words })), {
      maxLength: 3,
    }),
  });
  const reasoning = fc.record({
    type: fc.constant("reasoning"),
    summary: fc.array(fc.record({ type: fc.constant("summary_text"), text: words }), { maxLength: 3 }),
    encrypted_content: fc.option(spoken),
  });
  const search = fc.record({
    type: fc.constant("web_search_call"),
    id: fc.integer({ min: 0, max: 99 }).map((n) => `ws_${n}`),
    status: fc.constantFrom("completed", "failed"),
    action: fc.record({
      type: fc.constantFrom("search", "open_page"),
      query: words,
      sources: fc.array(fc.constant({ type: "url", url: "https://e.org/s" }), { maxLength: 1 }),
    }),
  });
  const item = fc.oneof(call, spokenMessage, reasoning, search);

  /** The events of one item: some of its text told by deltas, cut anywhere. */
  const eventsOf = (own: Json, output_index: number, cut: number): object[] => {
    const pieces = (value: string) => [value.slice(0, cut), value.slice(cut)].filter((piece) => piece !== "");
    const list: object[] = [];
    const add = (type: string, fields: object) => list.push({ type: `response.${type}`, output_index, ...fields });
    if (own.type === "function_call") {
      add("output_item.added", { item: { ...own, arguments: "" } });
      for (const delta of pieces(String(own.arguments))) add("function_call_arguments.delta", { delta });
    } else if (own.type === "message") {
      add("output_item.added", { item: { ...own, content: [] } });
      for (const [content_index, one] of (own.content as Json[]).entries()) {
        const type = one.type === "refusal" ? "refusal.delta" : "output_text.delta";
        for (const delta of pieces(String(one.text ?? one.refusal))) add(type, { content_index, delta });
        if (cut % 2 === 0) add("content_part.done", { content_index, part: one });
        else if (one.type === "output_text" && (one.annotations as unknown[]).length > 0) {
          add("content_part.done", { content_index, part: one });
        }
      }
    } else if (own.type === "reasoning") {
      for (const [summary_index, one] of (own.summary as Json[]).entries()) {
        for (const delta of pieces(String(one.text))) add("reasoning_summary_text.delta", { summary_index, delta });
      }
    } else add("output_item.added", { item: { ...own, action: undefined, status: "in_progress" } });
    if (cut > 0) add("output_item.done", { item: own });
    else return [{ type: "response.output_item.done", output_index, item: own }];
    return list;
  };

  /** Takes from the lists by turns: items overlap, the events of each keep their order. */
  const interleave = (lists: object[][], picks: number[]): object[] => {
    const left = lists.map((list) => [...list]);
    const out: object[] = [];
    // The items begin in upstream's order; what follows may come in any.
    for (const list of left) out.push(...list.splice(0, 1));
    for (let turn = 0; left.some((list) => list.length > 0); turn++) {
      const open = left.filter((list) => list.length > 0);
      out.push(...(open[(picks[turn % picks.length] ?? 0) % open.length] ?? []).splice(0, 1));
    }
    return out;
  };

  it("keeps the grammar and assembles to the whole answer", () => {
    const cuts = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 8 });
    const end = fc.constantFrom<Json>(
      { type: "response.completed", response: { id: "r", status: "completed", output: [] } },
      { type: "response.incomplete", response: { id: "r", incomplete_details: { reason: "max_output_tokens" } } },
    );
    const thinking = fc.constantFrom(
      { type: "adaptive" },
      { type: "disabled" },
      { type: "adaptive", display: "omitted" },
    );
    fc.assert(
      fc.property(fc.array(item, { maxLength: 5 }), cuts, end, thinking, (items, picks, last, view) => {
        const lists = items.map((own, index) => eventsOf(own as Json, index, picks[index % picks.length] ?? 1));
        const upstream = events([
          { type: "response.created", response: { id: "r" } },
          ...interleave(lists, picks),
          last,
        ]);
        const body = request({ thinking: view });
        expect(assemble(encode(upstream, body))).toEqual(whole(upstream, body));
      }),
      { numRuns: 1000 },
    );
  });

  it("what it answers can be sent back, and the reasoning with it", () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 5 }), (drawn) => {
        // Upstream gives each call an id of its own.
        const items = drawn.map((own, at) => ("call_id" in own ? { ...own, call_id: `call_${at}` } : own));
        const lists = items.map((own, index) => eventsOf(own as Json, index, 0));
        const last = { type: "response.completed", response: { id: "r", status: "completed", output: [] } };
        const answer = assemble(encode(events([...lists.flat(), last]), request({ thinking: { type: "adaptive" } })));
        const turn = { role: "assistant", content: answer.content };
        const back = toInput([question, turn as Json, question]);
        const ids = (list: readonly object[]) =>
          new Set((list as Json[]).flatMap((one) => (one.type === "function_call" ? [one.call_id] : [])));
        expect(ids(back)).toEqual(ids(items));
      }),
    );
  });
});
