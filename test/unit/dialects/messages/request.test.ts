import { describe, expect, it } from "vitest";
import { messagesDialect } from "../../../../src/dialects/messages/index.ts";
import type { ProxyError } from "../../../../src/errors.ts";
import { canonical, clientBody, clientNames, type Json, noHeader, request } from "./support.ts";

const user = (content: unknown) => ({ role: "user", content });
const assistant = (content: unknown) => ({ role: "assistant", content });
const text = (value: string) => ({ type: "text", text: value });
const input = (...texts: string[]) => texts.map((value) => ({ type: "input_text", text: value }));
const items = (messages: unknown[], fields: Json = {}) => canonical({ messages, ...fields }).body.input;
const use = (id: string) => ({ type: "tool_use", id, name: "t", input: { a: 1 } });
const result = (id: string, fields: object = {}) => ({
  type: "tool_result",
  tool_use_id: id,
  content: "ok",
  ...fields,
});
const call = (id: string) => ({ type: "function_call", call_id: id, name: "t", arguments: '{"a":1}' });
const output = (id: string, value: unknown = "ok") => ({ type: "function_call_output", call_id: id, output: value });
const PNG = { type: "image", source: { type: "base64", media_type: "image/png", data: "aWlp" } };
const image = { type: "input_image", image_url: "data:image/png;base64,aWlp" };

describe("blocks of a user message", () => {
  it.each<[string, unknown, unknown[]]>([
    ["a string", "hi", input("hi")],
    ["texts, empty ones left out", [text("a"), text(""), text("b")], input("a", "b")],
    ["image base64", [PNG], [image]],
    [
      "image url",
      [{ type: "image", source: { type: "url", url: "https://e.org/a.png" } }],
      [{ type: "input_image", image_url: "https://e.org/a.png" }],
    ],
    [
      "image of the Files API",
      [{ type: "image", source: { type: "file", file_id: "file_1" } }],
      input("[image file_1 is not available]"),
    ],
    [
      "document PDF",
      [{ type: "document", title: "A/b", source: { type: "base64", media_type: "application/pdf", data: "aW\nlp" } }],
      [
        ...input('<document title="A/b" />'),
        { type: "input_file", filename: "A_b.pdf", file_data: "data:application/pdf;base64,aWlp" },
      ],
    ],
    [
      "document url",
      [{ type: "document", source: { type: "url", url: "https://e.org/a.pdf" } }],
      [{ type: "input_file", file_url: "https://e.org/a.pdf" }],
    ],
    [
      "document text",
      [
        {
          type: "document",
          title: "T",
          context: "C",
          source: { type: "text", media_type: "text/plain", data: "body" },
        },
      ],
      input('<document title="T" context="C">\nbody\n</document>'),
    ],
    [
      "document content",
      [{ type: "document", source: { type: "content", content: [text("a"), PNG] } }],
      [...input("<document>", "a"), image, ...input("</document>")],
    ],
    [
      "search_result",
      [{ type: "search_result", title: "T", source: "https://e.org", content: [text("a"), text("b")] }],
      input('<search_result title="T" source="https://e.org">\na\nb\n</search_result>'),
    ],
    [
      "a block without a counterpart",
      [{ type: "container_upload", file_id: "file_1", cache_control: { type: "ephemeral" } }],
      input('<container_upload>{"file_id":"file_1"}</container_upload>'),
    ],
  ])("%s", (_name, content, parts) => {
    expect(items([user(content)])).toEqual([{ type: "message", role: "user", content: parts }]);
  });

  it("files that nobody here can read and citations are reported", () => {
    const blocks = [
      { type: "image", source: { type: "file", file_id: "f" } },
      { type: "document", citations: { enabled: true }, source: { type: "text", data: "x" } },
    ];
    expect(canonical({ messages: [user(blocks)] }).dropped).toEqual(["image.source.file", "document.citations"]);
  });
});

describe("tool results", () => {
  it.each<[string, object, unknown]>([
    ["a string", { content: "ok" }, "ok"],
    ["nothing", { content: undefined }, ""],
    ["texts", { content: [text("a"), text(""), text("b")] }, "a\nb"],
    ["an image alone", { content: [PNG] }, [image]],
    ["text and image", { content: [text("a"), PNG] }, [...input("a"), image]],
    [
      "a PDF",
      { content: [{ type: "document", source: { type: "base64", data: "aWlp" } }] },
      [{ type: "input_file", filename: "document.pdf", file_data: "data:application/pdf;base64,aWlp" }],
    ],
    ["an error", { content: "no such file", is_error: true }, "The tool call failed:\nno such file"],
    ["an error with an image", { content: [PNG], is_error: true }, [...input("The tool call failed:"), image]],
    ["is_error false", { content: "ok", is_error: false }, "ok"],
  ])("%s", (_name, fields, expected) => {
    const [, made] = items([assistant([use("1")]), user([result("1", fields)])]);
    expect(made).toEqual(output("1", expected));
  });

  it("a message that mixes results, text and images keeps all of it in order", () => {
    const mixed = [result("1"), text("a"), PNG, result("2"), text("b")];
    expect(items([assistant([use("1"), use("2")]), user(mixed)])).toEqual([
      call("1"),
      call("2"),
      output("1"),
      { type: "message", role: "user", content: [...input("a"), image] },
      output("2"),
      { type: "message", role: "user", content: input("b") },
    ]);
  });
});

describe("assistant messages", () => {
  const thinking = { type: "thinking", thinking: "plan", signature: "codex-1:m:enc" };
  const reasoning = { type: "reasoning", summary: [], encrypted_content: "enc" };

  it("reasoning, text and calls keep their order", () => {
    const blocks = [text("a"), thinking, use("1"), text("b")];
    expect(items([assistant(blocks), user([result("1")])])).toEqual([
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "a" }] },
      reasoning,
      call("1"),
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "b" }] },
      output("1"),
    ]);
  });

  it("redacted thinking brings its reasoning back too", () => {
    const blocks = [{ type: "redacted_thinking", data: "codex-1:m:enc" }, text("a")];
    expect(items([user("x"), assistant(blocks)])[1]).toEqual(reasoning);
  });

  it.each([
    ["of Anthropic", "EqQBCgIYAhIM1gbcDa9GJwZA2b3h"],
    ["of another model", "codex-1:other:enc"],
    ["that is absent", undefined],
  ])("a signature %s leaves no reasoning", (_name, signature) => {
    expect(items([user("x"), assistant([{ ...thinking, signature }, text("a")])])).toHaveLength(2);
  });

  it("one model under names with and without a context suffix keeps its reasoning", () => {
    const messages = [user("x"), assistant([thinking, text("a")])];
    expect(items(messages, { model: "m[1m]" })[1]).toEqual(reasoning);
  });

  it("reasoning that led to nothing is left out", () => {
    expect(items([user("x"), assistant([thinking]), user("y")]).map((item) => item.type)).toEqual([
      "message",
      "message",
    ]);
  });

  it("server tools are replayed as text, in place", () => {
    const blocks = [
      { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "q" } },
      { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [{ type: "web_search_result", url: "u" }] },
      text("a"),
    ];
    const [, item] = items([user("x"), assistant(blocks)]);
    expect(JSON.stringify(item)).toMatch(/server_tool_use.*\\"query\\":\\"q\\".*web_search_tool_result.*"a"/);
  });
});

describe("system", () => {
  it("goes to the head as one developer message, without Claude Code's billing block", () => {
    const system = [text("x-anthropic-billing-header: cc_version=2.1.197.eee;"), text("You are A."), text("")];
    expect(items([user("hi")], { system })[0]).toEqual({
      type: "message",
      role: "developer",
      content: input("You are A."),
    });
    expect(items([user("hi")], { system: "You are A." })[0]).toMatchObject({
      role: "developer",
      content: input("You are A."),
    });
  });

  it("amid the conversation stays in its place", () => {
    const messages = [user("a"), { role: "system", content: "skills" }, assistant("b"), user("c")];
    expect(items(messages).map((item) => item.role)).toEqual(["user", "developer", "assistant", "user"]);
  });

  it("with clear_at next_user_message is shown only until then", () => {
    const own = { role: "system", content: "now", clear_at: "next_user_message" };
    expect(items([user("a"), own])).toHaveLength(2);
    expect(items([user("a"), own, assistant("b"), user("c")])).toHaveLength(3);
  });
});

describe("controls", () => {
  it.each<[Json, unknown]>([
    [{}, undefined],
    [{ thinking: { type: "adaptive" } }, { summary: "auto" }],
    [
      { thinking: { type: "adaptive" }, output_config: { effort: "xhigh" } },
      { effort: "xhigh", summary: "auto" },
    ],
    [{ thinking: { type: "adaptive", display: "omitted" }, output_config: { effort: "max" } }, { effort: "max" }],
    [{ thinking: { type: "enabled", budget_tokens: 1024 } }, { effort: "low", summary: "auto" }],
    [{ thinking: { type: "enabled", budget_tokens: 10000 } }, { effort: "medium", summary: "auto" }],
    [{ thinking: { type: "enabled", budget_tokens: 31999 } }, { effort: "high", summary: "auto" }],
    [{ thinking: { type: "enabled", budget_tokens: 63999 } }, { effort: "xhigh", summary: "auto" }],
    [{ thinking: { type: "disabled" } }, { effort: "none" }],
    [{ thinking: { type: "disabled" }, output_config: { effort: "low" } }, { effort: "low" }],
    [{ reasoning_effort: "high" }, { effort: "high" }],
  ])("%j → reasoning %j", (fields, reasoning) => {
    expect(canonical(fields).body.reasoning).toEqual(reasoning);
  });

  it("a system message of this turn sets its effort, one of an earlier turn does not", () => {
    const own = { role: "system", content: "x", output_config: { effort: "low" } };
    const fields = { output_config: { effort: "high" } };
    expect(canonical({ ...fields, messages: [user("a"), own] }).body.reasoning).toEqual({ effort: "low" });
    expect(canonical({ ...fields, messages: [user("a"), own, assistant("b"), user("c")] }).body.reasoning).toEqual({
      effort: "high",
    });
  });

  const schema = {
    type: "object",
    properties: { t: { type: "string" } },
    required: ["t"],
    additionalProperties: false,
  };
  it.each(["output_config", "output_format"])("%s asks for structured output", (name) => {
    const format = { type: "json_schema", schema };
    const fields = name === "output_config" ? { output_config: { format } } : { output_format: format };
    expect(canonical(fields).body.text).toEqual({
      format: { type: "json_schema", name: "output", schema, strict: true },
    });
  });

  it("a schema that strict mode refuses is sent without it", () => {
    const open = { type: "object", properties: { t: { type: "string" } } };
    expect(
      canonical({ output_config: { format: { type: "json_schema", schema: open } } }).body.text?.format,
    ).toMatchObject({
      strict: false,
    });
  });

  it("limits, sampling and tiers are carried; the rest is reported", () => {
    const made = canonical({
      max_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 3,
      stop_sequences: ["END"],
      speed: "fast",
      container: "c",
      cache_control: { type: "ephemeral" },
      thread: { type: "create" },
      context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }, { type: "compact_20260112" }] },
    });
    expect(made.body).toMatchObject({
      max_output_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      service_tier: "priority",
      store: false,
    });
    expect(made.stop).toEqual(["END"]);
    expect(made.clientNames.max_output_tokens).toBe("max_tokens");
    expect(made.dropped).toEqual(["top_k", "container", "context_management.compact_20260112"]);
  });

  it.each<[Json, Record<string, string>, string | undefined]>([
    [{}, {}, undefined],
    [{ metadata: { user_id: "u1" } }, {}, "u1"],
    [{ metadata: { user_id: '{"device_id":"d","session_id":"s1"}' } }, {}, "s1"],
    [{ metadata: { user_id: "user_abc_account__session_11-22" } }, {}, "11-22"],
    [{ metadata: { user_id: "{broken" } }, {}, "{broken"],
    [{ metadata: { user_id: "u1" } }, { "x-claude-code-session-id": "s2" }, "s2"],
  ])("session of %j with %j is %s", (fields, headers, expected) => {
    expect(messagesDialect.toCanonical(request(fields), (name) => headers[name]).sessionKey).toBe(expected);
  });
});

describe("recorded requests", () => {
  it.each(clientNames())("%s: nothing is reported as lost", (name) => {
    const made = messagesDialect.toCanonical(clientBody(name), noHeader);
    expect(made.dropped).toEqual([]);
    expect(made.body.include).toContain("reasoning.encrypted_content");
  });

  it("Claude Code's web search becomes the hosted tool", () => {
    const { body, clientNames: names } = messagesDialect.toCanonical(clientBody("claude-code-web-search"), noHeader);
    expect(body).toMatchObject({ tools: [{ type: "web_search" }], tool_choice: "auto", max_tool_calls: 8 });
    expect(body.include).toContain("web_search_call.action.sources");
    expect(names.max_tool_calls).toBe("tools.max_uses");
    expect(JSON.stringify(body.input)).not.toContain("billing-header");
  });

  it("a picture that Claude Code read is an image in the call's output", () => {
    const { body } = messagesDialect.toCanonical(clientBody("claude-code-image-result"), noHeader);
    expect(body.input.at(-1)).toMatchObject({ type: "function_call_output", output: [{ type: "input_image" }] });
  });
});

describe("readRequest", () => {
  const refused = (json: unknown): ProxyError => {
    try {
      messagesDialect.readRequest(json);
    } catch (error) {
      return error as ProxyError;
    }
    throw new Error("accepted");
  };
  const base = { model: "m", messages: [user("x")] };
  it.each<[unknown, string | undefined, string]>([
    [[], undefined, "request body must be a JSON object"],
    [{ messages: [] }, "model", "model is required"],
    [{ model: "m" }, "messages", "messages is required"],
    [{ model: "m", messages: [] }, "messages", "at least one user or assistant message is required"],
    [{ model: "m", messages: [{ role: "system", content: "x" }] }, "messages", "at least one user"],
    [{ model: "m", messages: [{ role: "tool", content: "x" }] }, "messages[0].role", "must be user"],
    [{ model: "m", messages: [user(null)] }, "messages[0].content", "string or an array"],
    [{ model: "m", messages: [user([{ type: "text" }])] }, "messages[0].content[0].text", "must be a string"],
    [{ model: "m", messages: [user([{ type: "image" }])] }, "messages[0].content[0].source", "must be an object"],
    [
      { model: "m", messages: [user([result("1", { content: [{ type: "text" }] })])] },
      "messages[0].content[0].content[0].text",
      "string",
    ],
    [{ ...base, max_tokens: 0 }, "max_tokens", "positive integer"],
    [{ ...base, stop_sequences: "x" }, "stop_sequences", "array of strings"],
    [{ ...base, tools: [{ description: "x" }] }, "tools[0].name", "is required"],
    [{ ...base, tool_choice: { type: "tool" } }, "tool_choice.name", "is required"],
    [{ ...base, thinking: { type: "on" } }, "thinking.type", "must be"],
  ])("%j is refused", (json, param, message) => {
    const error = refused(json);
    expect(error.kind).toBe("invalid_request");
    expect(error.param).toBe(param);
    expect(error.message).toContain(message);
  });

  it("a request that leaves nothing to send is refused", () => {
    expect(() => canonical({ messages: [user("")] })).toThrow("messages must not be empty");
  });
});
