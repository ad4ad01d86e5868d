import { expect } from "vitest";

// biome-ignore lint/suspicious/noExplicitAny: foreign answers, checked field by field
export type Json = any;

export type DialectName = "chat" | "messages" | "responses";

/** One of the three APIs as a client of it sees it: how to ask, and what an answer and a failure must look like. */
export interface ClientDialect {
  readonly name: DialectName;
  readonly path: string;
  body(text: string, stream: boolean, model?: string): object;
  /** Text and stated end of a whole answer. */
  readWhole(json: Json): { text: string; end: string };
  /** Text and stated end of a finished stream. `end` is undefined when the stream does not claim to be complete. */
  readStream(events: readonly SseEvent[]): { text: string; end: string | undefined; error: Json };
  /** Fails unless the body is the API's own error envelope. */
  checkError(json: Json): void;
}

/** One server-sent event; `data` is parsed unless it is `[DONE]`. */
export interface SseEvent {
  readonly event: string | undefined;
  readonly data: Json;
}

const ANTHROPIC_ERRORS =
  /^(invalid_request|authentication|billing|permission|not_found|request_too_large|rate_limit|timeout|api|overloaded)(_error)?$/;

const chat: ClientDialect = {
  name: "chat",
  path: "/v1/chat/completions",
  body: (text, stream, model = "gpt-5.5") => ({ model, stream, messages: [{ role: "user", content: text }] }),
  readWhole: ({ choices }) => ({ text: choices[0].message.content ?? "", end: choices[0].finish_reason }),
  readStream(events) {
    const chunks = events.map(({ data }) => data);
    const done = chunks.at(-1) === "[DONE]";
    const reason = chunks.map((chunk) => chunk.choices?.[0]?.finish_reason).find((one) => one);
    return {
      text: chunks.map((chunk) => chunk.choices?.[0]?.delta?.content ?? "").join(""),
      end: done || reason ? (reason ?? "[DONE]") : undefined,
      error: chunks.find((chunk) => chunk.error),
    };
  },
  checkError: checkOpenaiError,
};

const messages: ClientDialect = {
  name: "messages",
  path: "/v1/messages",
  body: (text, stream, model = "gpt-5.5") => ({
    model,
    stream,
    max_tokens: 100_000_000,
    messages: [{ role: "user", content: text }],
  }),
  readWhole: ({ content, stop_reason }) => ({
    text: content.map((block: Json) => block.text ?? "").join(""),
    end: stop_reason,
  }),
  readStream(events) {
    for (const { event, data } of events) expect(event).toBe(data.type);
    const stop = events.find(({ event }) => event === "message_delta")?.data.delta.stop_reason;
    return {
      text: events.map(({ data }) => data.delta?.text ?? "").join(""),
      end: events.some(({ event }) => event === "message_stop") || stop ? (stop ?? "message_stop") : undefined,
      error: events.find(({ event }) => event === "error")?.data,
    };
  },
  checkError(json) {
    expect(json).toMatchObject({
      type: "error",
      error: { type: expect.stringMatching(ANTHROPIC_ERRORS), message: expect.stringMatching(/./) },
      request_id: expect.any(String),
    });
  },
};

const responses: ClientDialect = {
  name: "responses",
  path: "/v1/responses",
  body: (text, stream, model = "gpt-5.5") => ({ model, stream, input: text }),
  readWhole: ({ output, status, incomplete_details }) => ({
    text: output
      .flatMap((item: Json) => item.content ?? [])
      .map((part: Json) => part.text ?? part.refusal ?? "")
      .join(""),
    end: incomplete_details?.reason ?? status,
  }),
  readStream(events) {
    for (const { event, data } of events) expect(event).toBe(data.type);
    expect(events.map(({ data }) => data.sequence_number)).toEqual(events.map((_, index) => index));
    const last = events.find(({ event }) => event === "response.completed" || event === "response.incomplete")?.data;
    const failed = events.find(({ event }) => event === "response.failed")?.data;
    return {
      text: events.map(({ event, data }) => (event === "response.output_text.delta" ? data.delta : "")).join(""),
      end: last && (last.response.incomplete_details?.reason ?? last.response.status),
      error: failed
        ? { error: { type: "server_error", param: null, ...failed.response.error } }
        : events.find(({ event }) => event === "error")?.data,
    };
  },
  checkError: checkOpenaiError,
};

function checkOpenaiError(json: Json): void {
  expect(json).toMatchObject({ error: { message: expect.stringMatching(/./), type: expect.stringMatching(/./) } });
  expect(json.error).toHaveProperty("code");
  expect(json.error).toHaveProperty("param");
}

export const dialects: readonly ClientDialect[] = [chat, messages, responses];

/** Splits a finished stream; comments are left out. Fails on anything that is not a well-formed event. */
export function readEvents(text: string): SseEvent[] {
  if (text === "") return [];
  expect(text.endsWith("\n\n")).toBe(true);
  return text
    .slice(0, -2)
    .split("\n\n")
    .filter((block) => !block.startsWith(":"))
    .map((block) => {
      const [, event, data] = /^(?:event: ([^\n]*)\n)?data: ([^\n]*)$/.exec(block) ?? [];
      if (data === undefined) throw new Error(`no event: ${block.slice(0, 200)}`);
      return { event, data: data === "[DONE]" ? data : JSON.parse(data) };
    });
}
