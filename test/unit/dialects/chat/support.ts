import { readFileSync } from "node:fs";
import { createCollector } from "../../../../src/canonical/collect.ts";
import { type CanonicalEvent, makeEvent, readEvent, type UpstreamEvent } from "../../../../src/canonical/event.ts";
import type { CanonicalRequest } from "../../../../src/canonical/request.ts";
import type { CanonicalResponse } from "../../../../src/canonical/response.ts";
import type { ChatCompletion } from "../../../../src/dialects/chat/answer.ts";
import { type ChatBody, chatDialect } from "../../../../src/dialects/chat/index.ts";
import type { AnswerContext } from "../../../../src/dialects/dialect.ts";
import { ProxyError } from "../../../../src/errors.ts";
import { createSseDecoder } from "../../../../src/sse/decode.ts";

export const context = (index = 0, of = 1): AnswerContext => ({
  id: "abc",
  createdAt: 1_795_378_814,
  requestId: "req",
  inputTokens: () => 0,
  choice: { index, of },
});

/** A request body; the model and one user message unless told otherwise. */
export const chat = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  model: "gpt-x",
  messages: [{ role: "user", content: "hi" }],
  ...fields,
});

export const read = (fields: Record<string, unknown> = {}): ChatBody => chatDialect.readRequest(chat(fields));

export const translate = (
  fields: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): CanonicalRequest => chatDialect.toCanonical(read(fields), (name) => headers[name]);

/** The ProxyError that `work` throws. */
export function failureFrom(work: () => unknown): ProxyError {
  try {
    work();
  } catch (error) {
    if (error instanceof ProxyError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

export function fixtureEvents(name: string): UpstreamEvent[] {
  const events: UpstreamEvent[] = [];
  const decoder = createSseDecoder((data) => {
    const event = readEvent(data);
    if (event) events.push(event);
  });
  decoder.push(readFileSync(new URL(`../../../fixtures/streams/${name}`, import.meta.url)));
  decoder.end();
  return events;
}

export const made = (events: readonly CanonicalEvent[]): UpstreamEvent[] => events.map(makeEvent);

export function collect(events: readonly UpstreamEvent[]): CanonicalResponse {
  const collector = createCollector();
  for (const event of events) collector.push(event);
  return collector.finish();
}

export const encode = (events: readonly UpstreamEvent[], body: ChatBody = read(), at = context()): string => {
  const encoder = chatDialect.createEncoder(body, at);
  return events.map((event) => encoder.push(event)).join("");
};

export const whole = (events: readonly UpstreamEvent[], body: ChatBody = read()): ChatCompletion =>
  chatDialect.fromCanonical([collect(events)], body, context()) as ChatCompletion;

export interface Chunk {
  id: string;
  created: number;
  model: string;
  object: string;
  service_tier?: string;
  usage?: unknown;
  choices: { index: number; finish_reason: string | null; delta: Record<string, unknown> }[];
  error?: { code: string | null; type: string };
}

/** The JSON of each `data` line; `[DONE]` is left out and told apart. */
export function chunksOf(sse: string): { chunks: Chunk[]; done: boolean } {
  const chunks: Chunk[] = [];
  let done = false;
  for (const frame of sse.split("\n\n")) {
    if (frame === "" || frame.startsWith(":")) continue;
    if (done) throw new Error(`text after [DONE]: ${frame}`);
    if (!frame.startsWith("data: ") || frame.includes("\n")) throw new Error(`no data frame: ${frame}`);
    if (frame === "data: [DONE]") done = true;
    else chunks.push(JSON.parse(frame.slice(6)));
  }
  return { chunks, done };
}

type Call = { id?: string; type?: string; function?: Record<string, string>; custom?: Record<string, string> };

/** Puts one choice's chunks together, refusing what breaks the stream's grammar. */
export function assemble(sse: string): Record<string, unknown> {
  const { chunks } = chunksOf(sse);
  const message: Record<string, unknown> = {};
  const calls: Call[] = [];
  let finish: string | null = null;
  let tier: string | undefined;
  let usage: unknown;
  chunks.forEach((chunk, position) => {
    const choice = chunk.choices[0];
    if (!choice) {
      usage = chunk.usage;
      return;
    }
    if (finish !== null) throw new Error("a choice after its finish reason");
    if ((position === 0) !== (choice.delta.role === "assistant")) throw new Error("the role is not first, once");
    finish = choice.finish_reason;
    tier ??= chunk.service_tier;
    for (const [name, value] of Object.entries(choice.delta)) {
      if (name === "tool_calls") for (const call of value as (Call & { index: number })[]) grow(calls, call);
      else if (name === "function_call") message[name] = joinStrings(message[name], value);
      else if (typeof value === "string" && name !== "role") message[name] = `${message[name] ?? ""}${value}`;
      else if (value !== null) message[name] = value;
    }
  });
  if (calls.length > 0) message.tool_calls = calls;
  return { message, finish, ...(tier ? { tier } : {}), ...(usage ? { usage } : {}) };
}

function grow(calls: Call[], { index, ...call }: Call & { index: number }): void {
  const known = calls[index];
  if (!known) {
    if (index !== calls.length || !call.id || !call.type) throw new Error("a call begins out of order or unnamed");
    calls.push(call);
    return;
  }
  if (call.function) known.function = joinStrings(known.function, call.function);
  if (call.custom) known.custom = joinStrings(known.custom, call.custom);
}

function joinStrings(before: unknown, after: unknown): Record<string, string> {
  const sum = { ...(before as Record<string, string> | undefined) };
  for (const [name, text] of Object.entries(after as Record<string, string>)) sum[name] = (sum[name] ?? "") + text;
  return sum;
}

/** A whole answer in the form of `assemble`: no nulls, no empty texts, which a stream does not tell from absence. */
export function comparable(completion: ChatCompletion): Record<string, unknown> {
  const choice = completion.choices[0];
  return {
    message: plain({ ...choice?.message }),
    finish: choice?.finish_reason ?? null,
    ...(completion.service_tier ? { tier: completion.service_tier } : {}),
  };
}

export function plain(message: Record<string, unknown>): Record<string, unknown> {
  const isSaid = (value: unknown) => value !== null && value !== "" && !(Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(message).filter(([, value]) => isSaid(value)));
}
