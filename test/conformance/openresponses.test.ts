import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runtimes } from "../support/runtimes.ts";
import { type RunningServer, startServer } from "../support/server.ts";
import { startUpstream, type Upstream, writeAuthFile } from "../upstream/index.ts";
import { nonCompliance } from "./openresponses-schema.ts";

// The compliance tests of https://www.openresponses.org/compliance: the same requests, the same checks.

const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const PDF = "data:application/pdf;base64,JVBERi0xLjEKdHJhaWxlcgo8PCAvUm9vdCAxIDAgUiA+PgolJUVPRg==";
// biome-ignore lint/suspicious/noExplicitAny: foreign answers, checked field by field
type Json = any;

const message = (role: string, content: unknown, more: object = {}) => ({ type: "message", role, content, ...more });
const weather = {
  type: "function",
  name: "get_weather",
  description: "Get the current weather for a location",
  parameters: {
    type: "object",
    properties: { location: { type: "string", description: "The city and state, e.g. San Francisco, CA" } },
    required: ["location"],
  },
};
/** The double calls a tool when it is told to, where a model would see the need. */
const CALL = `What's the weather like in San Francisco? [[tool name=get_weather args={"location":"San Francisco, CA"}]]`;

/** The suite's requests that one answer decides, and a type of item that the answer must have. */
const REQUESTS: Record<string, { body: Json; has?: string; classicOnly?: boolean }> = {
  "basic text response": { body: { input: [message("user", "Say hello in exactly 3 words.")] } },
  "system prompt": {
    body: { input: [message("system", "You are a pirate."), message("user", "Say hello.")] },
  },
  "developer prompt": {
    body: { input: [message("developer", "Answer in one word."), message("user", "Say hello.")] },
  },
  "tool calling": { body: { input: [message("user", CALL)], tools: [weather] }, has: "function_call" },
  "required tool calling": {
    body: { input: [message("user", CALL)], tools: [weather], tool_choice: "required" },
    has: "function_call",
  },
  "image input": {
    body: {
      input: [
        message("user", [
          { type: "input_text", text: "What do you see in this image?" },
          { type: "input_image", image_url: PIXEL },
        ]),
      ],
    },
  },
  "file input": {
    body: {
      input: [
        message("user", [
          { type: "input_text", text: "Answer with the file's title only." },
          { type: "input_file", filename: "fixture.pdf", file_data: PDF },
        ]),
      ],
    },
  },
  "multi-turn conversation": {
    body: {
      input: [
        message("user", "My name is Alice."),
        message("assistant", "Hello Alice! Nice to meet you."),
        message("user", "What is my name?"),
      ],
    },
  },
  "assistant message phase": {
    body: {
      input: [
        message("assistant", "I should answer with the saved number.", { phase: "commentary" }),
        message("assistant", "The number is four.", { phase: "final_answer" }),
        message("user", "Repeat only the number."),
      ],
    },
  },
  "reasoning summary": {
    body: { input: [message("user", "What is 15 * 37?")], reasoning: { effort: "low", summary: "auto" } },
    has: "reasoning",
  },
  "offline web search": {
    body: {
      input: "[[search OpenResponses]]",
      tools: [{ type: "web_search", external_web_access: false }],
      tool_choice: { type: "web_search" },
      include: ["web_search_call.action.sources"],
    },
    has: "web_search_call",
    classicOnly: true,
  },
};

describe.each(runtimes)("Open Responses on $name", (runtime) => {
  let upstream: Upstream;
  let server: RunningServer;
  beforeAll(async () => {
    upstream = await startUpstream();
    server = await startServer(runtime, { upstream, prepare: (codexHome) => void writeAuthFile(codexHome, "chatgpt") });
  });
  afterAll(async () => {
    await server?.stop();
    await upstream?.close();
  });

  const { send, answer, stream } = clientOf(() => server.url);

  describe.each(["gpt-5.5", "gpt-6.1-sol"])("%s", (model) => {
    const requests = Object.entries(REQUESTS).filter(([, { classicOnly }]) => !classicOnly || model === "gpt-5.5");

    it.each(requests)("%s", async (_name, { body, has }) => {
      const types = typesOf(await answer({ model, ...body }));
      if (has) expect(types).toContain(has);
    });

    it.each(requests)("%s, streamed", async (_name, { body, has }) => {
      const { response } = (await stream({ model, ...body })).at(-1);
      expect(response.output.length).toBeGreaterThan(0);
      expect(response.usage.total_tokens).toBeGreaterThan(0);
      if (has) expect(typesOf(response)).toContain(has);
    });

    it("tool calling (streaming) tells the call's beginning, arguments and end", async () => {
      const events = await stream({ model, input: [message("user", CALL)], tools: [weather] });
      const types = events.map((event) => event.type);
      for (const [type, field] of [
        ["response.output_item.added", "function_call"],
        ["response.output_item.done", "function_call"],
      ]) {
        expect(events.some((event) => event.type === type && event.item.type === field)).toBe(true);
      }
      expect(types).toContain("response.function_call_arguments.delta");
      expect(types).toContain("response.function_call_arguments.done");
    });

    it("function call round trip", async () => {
      const first = await answer({
        model,
        input: CALL,
        tools: [weather],
        tool_choice: { type: "function", name: "get_weather" },
      });
      const call = first.output.find((item: Json) => item.type === "function_call");
      const output = { type: "function_call_output", call_id: call.call_id, output: '{"temperature":"18C"}' };
      const second = await answer({ model, previous_response_id: first.id, input: [output], tools: [weather] });
      expect(textOf(second)).toContain("18C");
      const replayed = await answer({ model, input: [message("user", CALL), call, output], tools: [weather] });
      expect(textOf(replayed)).toContain("18C");
    });

    it("previous response id", async () => {
      const first = await answer({ model, input: "Remember this code word: papaya. Reply with only OK." });
      const second = await answer({ model, previous_response_id: first.id, input: "What code word was it?" });
      expect(second.previous_response_id).toBe(first.id);
      expect(upstream.requests.at(-1)?.text).toContain("papaya");
    });

    it("compaction endpoint", async () => {
      const response = await send("/responses/compact", {
        model,
        prompt_cache_key: "openresponses-compact-test",
        input: [
          message("user", "We agreed to launch on Tuesday and notify support first."),
          message("assistant", "Understood. The launch is Tuesday."),
        ],
      });
      const json = (await response.json()) as Json;
      expect([response.status, nonCompliance("compaction", json)]).toEqual([200, []]);
      expect(typesOf(json)).toContain("compaction");
    });
  });

  it("refuses a request without a model", async () => {
    for (const path of ["/responses", "/responses/compact"]) {
      const response = await send(path, { input: [message("user", "Say hello.")] });
      expect([response.status, await response.json()]).toMatchObject([400, { error: { param: "model" } }]);
    }
  });
});

describe("Open Responses in the offline demo", () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer(runtimes[0] as (typeof runtimes)[0], { args: ["--demo"] });
  });
  afterAll(() => server?.stop().then(() => undefined));
  const { send, answer, stream } = clientOf(() => server.url);
  const requests = Object.entries(REQUESTS).filter(([, { has }]) => has === undefined || has === "function_call");

  describe.each(["demo-large", "demo-small-luna"])("%s", (model) => {
    it.each(requests)("%s", async (_name, { body, has }) => {
      for (const response of [await answer({ model, ...body }), (await stream({ model, ...body })).at(-1).response]) {
        expect(response.output.length).toBeGreaterThan(0);
        if (has) expect(typesOf(response)).toContain(has);
      }
    });

    it("function call round trips, one after another", async () => {
      let last = await answer({ model, input: CALL, tools: [weather] });
      for (const degrees of ["18C", "19C"]) {
        const { call_id } = last.output[0];
        const output = { type: "function_call_output", call_id, output: degrees };
        const told = await answer({ model, previous_response_id: last.id, input: [output], tools: [weather] });
        expect(textOf(told)).toContain(degrees);
        const again = [message("user", "And the weather now?")];
        last = await answer({ model, previous_response_id: told.id, input: again, tools: [weather] });
        expect(last.output[0].call_id).not.toBe(call_id);
      }
    });

    it("compaction endpoint", async () => {
      const response = await send("/responses/compact", { model, input: [message("user", "Launch on Tuesday.")] });
      const json = await response.json();
      expect([response.status, nonCompliance("compaction", json), typesOf(json)]).toEqual([
        200,
        [],
        ["message", "compaction"],
      ]);
    });
  });
});

/**
 * Reads as the suite does: what one network read brings is looked at by itself, so that an event cut in two is lost.
 * Every event must therefore be one write.
 */
async function readEvents(response: Response): Promise<Json[]> {
  expect([response.status, response.headers.get("content-type")]).toEqual([200, expect.stringMatching("event-stream")]);
  const events: Json[] = [];
  const utf8 = new TextDecoder();
  for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
    for (const block of utf8.decode(bytes, { stream: true }).split("\n\n").slice(0, -1)) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data !== undefined && data !== "[DONE]") events.push(JSON.parse(data));
    }
  }
  return events;
}

function textOf(response: Json): string {
  return response.output
    .flatMap((item: Json) => (item.type === "message" ? item.content : []))
    .map((part: Json) => part.text)
    .join("");
}

const typesOf = (response: Json): string[] => response.output.map((item: Json) => item.type);

/** Sends to a server and checks what comes back, whole and streamed. */
function clientOf(url: () => string) {
  const send = (path: string, body: unknown) =>
    fetch(`${url()}/v1${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer any" },
      body: JSON.stringify(body),
    });
  const answer = async (body: object): Promise<Json> => {
    const response = await send("/responses", { ...body, stream: false });
    const json = await response.json();
    expect([response.status, nonCompliance("response", json), json.status]).toEqual([200, [], "completed"]);
    expect(json.output.length).toBeGreaterThan(0);
    return json;
  };
  const stream = async (body: object): Promise<Json[]> => {
    const events = await readEvents(await send("/responses", { ...body, stream: true }));
    expect(events.flatMap((event) => nonCompliance("event", event))).toEqual([]);
    expect(events[0].type).toBe("response.created");
    expect(events.at(-1)).toMatchObject({ type: "response.completed", response: { status: "completed" } });
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
    return events;
  };
  return { send, answer, stream };
}
