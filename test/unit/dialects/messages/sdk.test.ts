import Anthropic from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";
import { messagesDialect } from "../../../../src/dialects/messages/index.ts";
import { ProxyError } from "../../../../src/errors.ts";
import { CONTEXT, encode, request, streamEvents, whole } from "./support.ts";

/** Anthropic's own client, answered by the dialect without a network. */
function client(respond: (body: unknown) => Response): Anthropic {
  return new Anthropic({
    apiKey: "k",
    maxRetries: 0,
    fetch: async (_url, init) => respond(JSON.parse(String(init?.body))),
  });
}

const PARAMS = {
  model: "m",
  max_tokens: 2000,
  messages: [{ role: "user" as const, content: "ping" }],
  thinking: { type: "enabled" as const, budget_tokens: 1024 },
};
const sse = (text: string) => new Response(text, { headers: { "content-type": "text/event-stream" } });

describe("Anthropic SDK", () => {
  it.each(["text-with-reasoning.sse", "function-call.sse", "custom-tool-and-web-search.sse"])(
    "%s: the stream helper's final message is the whole answer",
    async (name) => {
      const anthropic = client((body) => sse(encode(streamEvents(name), messagesDialect.readRequest(body))));
      // `parsed_output` is the helper's own.
      const { parsed_output: _own, ...final } = await anthropic.messages.stream(PARAMS).finalMessage();
      expect(JSON.parse(JSON.stringify(final))).toEqual(whole(streamEvents(name), request(PARAMS)));
    },
  );

  it("a call's arguments and the thinking arrive as the helper's events", async () => {
    const anthropic = client((body) =>
      sse(encode(streamEvents("function-call.sse"), messagesDialect.readRequest(body))),
    );
    const stream = anthropic.messages.stream(PARAMS);
    const seen: string[] = [];
    stream.on("inputJson", (delta) => seen.push(delta));
    stream.on("signature", (signature) => seen.push(signature));
    await stream.finalMessage();
    expect(seen[0]).toBe("codex-1:m:gAAAAABenc1");
    expect(seen.slice(1).join("")).toBe('{"cmd":"echo hi","yield_time_ms":2000}');
  });

  it("a whole answer is read, with the usage that upstream told", async () => {
    const anthropic = client((body) =>
      Response.json(whole(streamEvents("function-call.sse"), messagesDialect.readRequest(body))),
    );
    const answer = await anthropic.messages.create(PARAMS);
    expect(answer.usage).toMatchObject({ input_tokens: 90, cache_read_input_tokens: 10, output_tokens: 8 });
    expect(answer.stop_reason).toBe("tool_use");
  });

  it("an error in the stream and one before it are the SDK's own classes", async () => {
    const error = new ProxyError("overloaded", "busy");
    const body = messagesDialect.toErrorBody(error, "req_1");
    const refused = client(() => Response.json(body, { status: messagesDialect.toErrorStatus(error) }));
    await expect(refused.messages.create(PARAMS)).rejects.toMatchObject({ status: 529, type: "overloaded_error" });
    const failing = client((sent) => {
      const encoder = messagesDialect.createEncoder(messagesDialect.readRequest(sent), CONTEXT);
      return sse(encoder.keepAlive() + encoder.fail(error));
    });
    await expect(failing.messages.stream(PARAMS).finalMessage()).rejects.toThrow("busy");
  });
});
