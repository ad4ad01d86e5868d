import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { responsesDialect } from "../../../../src/dialects/responses/index.ts";
import { ProxyError } from "../../../../src/errors.ts";
import { bodyOf, context, encodeText, eventsOf, whole } from "./support.ts";

/** The official SDK against one canned answer. */
function client(text: string, status = 200, type = "text/event-stream"): OpenAI {
  const fetch = async () => new Response(text, { status, headers: { "content-type": type } });
  return new OpenAI({ apiKey: "k", baseURL: "http://sdk.test/v1", fetch, maxRetries: 0 });
}

const minimal = () => encodeText(eventsOf("minimal.sse"));

describe("the OpenAI SDK", () => {
  it.each(["text-with-reasoning.sse", "minimal.sse", "completed-only.sse"])("reads the text of %s", async (name) => {
    const stream = client(encodeText(eventsOf(name))).responses.stream({ model: "gpt-5.5", input: "ping" });
    const final = await stream.finalResponse();
    expect(final.output_text).toBe("pong");
    expect(final.model).toBe("gpt-5.5");
  });

  it("follows a function call by its events", async () => {
    const stream = client(encodeText(eventsOf("function-call.sse"))).responses.stream({ model: "m", input: "x" });
    let seen = "";
    stream.on("response.function_call_arguments.delta", (event) => {
      seen += event.delta;
    });
    const final = await stream.finalResponse();
    const call = final.output.find((item) => item.type === "function_call");
    expect(call).toMatchObject({ call_id: "call_1", status: "completed", arguments: seen });
  });

  it("sees the deltas of an item that upstream gave only as a whole", async () => {
    const stream = client(minimal()).responses.stream({ model: "m", input: "x" });
    let seen = "";
    stream.on("response.output_text.delta", (event) => {
      seen += event.delta;
    });
    await stream.done();
    expect(seen).toBe("pong");
  });

  it("reads a whole answer", async () => {
    const json = JSON.stringify(whole(eventsOf("text-with-reasoning.sse")));
    const response = await client(json, 200, "application/json").responses.create({ model: "m", input: "x" });
    expect(response.output_text).toBe("pong");
    expect(response.usage?.input_tokens_details.cached_tokens).toBe(64);
  });

  it("throws on a failure whose code OpenAI's response.error has not", async () => {
    const failed = encodeText(eventsOf("failed-context_length_exceeded.sse"));
    const stream = await client(failed).responses.create({ model: "m", input: "x", stream: true });
    const read = async () => {
      for await (const _event of stream);
    };
    await expect(read()).rejects.toMatchObject({ code: "context_length_exceeded" });
  });

  it("shows a response that failed", async () => {
    const encoder = responsesDialect.createEncoder(bodyOf({ stream: true }), context);
    encoder.push(eventsOf("text-with-reasoning.sse")[0] as never);
    const failure = encoder.fail(new ProxyError("upstream_protocol", "it broke"));
    const stream = await client(failure).responses.create({ model: "m", input: "x", stream: true });
    const seen: string[] = [];
    for await (const event of stream) seen.push(event.type);
    expect(seen).toEqual(["response.failed"]);
  });

  it("reads the error envelope", async () => {
    const error = new ProxyError("model_not_found", "no such model", { param: "model" });
    const json = JSON.stringify(responsesDialect.toErrorBody(error, "r"));
    const call = client(json, 404, "application/json").responses.create({ model: "m", input: "x" });
    await expect(call).rejects.toMatchObject({ status: 404, code: "model_not_found", param: "model" });
  });
});
