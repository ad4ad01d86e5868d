import { readdirSync, readFileSync } from "node:fs";
import { createCollector } from "../../../../src/canonical/collect.ts";
import { type CanonicalEvent, makeEvent, readEvent, type UpstreamEvent } from "../../../../src/canonical/event.ts";
import type { AnswerContext } from "../../../../src/dialects/dialect.ts";
import { messagesDialect } from "../../../../src/dialects/messages/index.ts";
import type { MessagesBody } from "../../../../src/dialects/messages/schema.ts";

export type Json = Record<string, unknown>;

export const CONTEXT: AnswerContext = {
  id: "0123",
  createdAt: 1_795_378_814,
  requestId: "req_1",
  inputTokens: () => 77,
  choice: { index: 0, of: 1 },
};

const FIXTURES = new URL("../../../fixtures/", import.meta.url);

/** A recorded client request body, e.g. `claude-code-title`. */
export function clientBody(name: string): MessagesBody {
  const { body } = JSON.parse(readFileSync(new URL(`clients/${name}.json`, FIXTURES), "utf8")) as { body: Json };
  // The recordings shorten long tool lists to a text such as "<22 more>".
  const { tools, ...rest } = body;
  const kept = Array.isArray(tools) ? { tools: tools.filter((tool) => typeof tool === "object") } : {};
  return messagesDialect.readRequest({ ...rest, ...kept });
}

export function clientNames(): string[] {
  return readdirSync(new URL("clients/", FIXTURES))
    .filter((name) => /claude|anthropic/.test(name))
    .map((name) => name.replace(/\.json$/, ""));
}

export function streamNames(): string[] {
  return readdirSync(new URL("streams/", FIXTURES)).filter((name) => name.endsWith(".sse"));
}

export function streamEvents(name: string): UpstreamEvent[] {
  const text = readFileSync(new URL(`streams/${name}`, FIXTURES), "utf8");
  return text.split("\n").flatMap((line) => (line.startsWith("data:") ? (readEvent(line.slice(5).trim()) ?? []) : []));
}

export function request(fields: Json): MessagesBody {
  return messagesDialect.readRequest({
    model: "m",
    max_tokens: 100,
    messages: [{ role: "user", content: "hi" }],
    ...fields,
  });
}

export const noHeader = () => undefined;

export function canonical(fields: Json) {
  return messagesDialect.toCanonical(request(fields), noHeader);
}

export function events(values: object[]): UpstreamEvent[] {
  return values.map((value) => makeEvent(value as CanonicalEvent));
}

/** SSE text of the whole stream. */
export function encode(upstream: readonly UpstreamEvent[], body: MessagesBody = request({})): string {
  const encoder = messagesDialect.createEncoder(body, CONTEXT);
  return upstream.map((event) => encoder.push(event)).join("");
}

export function whole(upstream: readonly UpstreamEvent[], body: MessagesBody = request({})): Json {
  const collector = createCollector();
  for (const event of upstream) collector.push(event);
  return messagesDialect.fromCanonical([collector.finish()], body, CONTEXT) as Json;
}

/** Parses SSE text; the event's name and the JSON's type must agree. */
export function parse(text: string): Json[] {
  const frames = text.split("\n\n");
  if (frames.pop() !== "") throw new Error("the last frame is not closed");
  return frames.map((frame) => {
    const match = /^event: (\w+)\ndata: ([^\n]+)$/.exec(frame);
    if (!match) throw new Error(`not a frame: ${frame}`);
    const value = JSON.parse(match[2] ?? "") as Json;
    if (value.type !== match[1]) throw new Error(`event ${match[1]} carries ${String(value.type)}`);
    return value;
  });
}

const DELTAS: Record<string, string[]> = {
  text: ["text_delta", "citations_delta"],
  thinking: ["thinking_delta", "signature_delta"],
  tool_use: ["input_json_delta"],
  server_tool_use: ["input_json_delta"],
  redacted_thinking: [],
  web_search_tool_result: [],
};

/** Checks the grammar of a stream and puts the message together as an SDK does. Throws at the first fault. */
export function assemble(text: string): Json {
  const list = parse(text);
  let message: Json | undefined;
  let open: { index: number; block: Json; input: string } | undefined;
  let delta = false;
  let stopped = false;
  const must = (condition: boolean, what: string) => {
    if (!condition) throw new Error(what);
  };
  for (const [at, event] of list.entries()) {
    must(!stopped, `${String(event.type)} after the end`);
    const content = (message?.content ?? []) as Json[];
    switch (event.type) {
      case "message_start":
        must(at === 0, "message_start is not first");
        message = event.message as Json;
        must((message.content as unknown[]).length === 0, "message_start has content");
        must(list[1]?.type === "ping", "no ping after message_start");
        break;
      case "ping":
        must(message !== undefined, "ping before message_start");
        break;
      case "content_block_start": {
        must(message !== undefined && !open && !delta, "block starts out of turn");
        must(event.index === content.length, "indexes are not contiguous");
        const block = { ...(event.content_block as Json) };
        must(String(block.type) in DELTAS, `unknown block ${String(block.type)}`);
        content.push(block);
        open = { index: event.index as number, block, input: "" };
        break;
      }
      case "content_block_delta": {
        must(open?.index === event.index, "delta of a block that is not open");
        const { block } = open as { block: Json };
        const own = event.delta as Json;
        must(
          (DELTAS[String(block.type)] ?? []).includes(String(own.type)),
          `${String(own.type)} in ${String(block.type)}`,
        );
        if (own.type === "text_delta") block.text = `${String(block.text)}${String(own.text)}`;
        if (own.type === "thinking_delta") block.thinking = `${String(block.thinking)}${String(own.thinking)}`;
        if (own.type === "signature_delta") block.signature = own.signature;
        if (own.type === "citations_delta") block.citations = [...((block.citations as unknown[]) ?? []), own.citation];
        if (own.type === "input_json_delta" && open) open.input += String(own.partial_json);
        break;
      }
      case "content_block_stop":
        must(open?.index === event.index, "stop of a block that is not open");
        if (open && open.input !== "") open.block.input = JSON.parse(open.input);
        open = undefined;
        break;
      case "message_delta":
        must(!open && !delta, "message_delta while a block is open");
        delta = true;
        Object.assign(message as Json, event.delta, { usage: event.usage });
        break;
      case "message_stop":
        must(delta, "message_stop before message_delta");
        stopped = true;
        break;
      case "error":
        must(at === list.length - 1, "events after the error");
        return { error: event };
      default:
        throw new Error(`unknown event ${String(event.type)}`);
    }
  }
  must(stopped, "the stream does not end");
  return message as Json;
}
