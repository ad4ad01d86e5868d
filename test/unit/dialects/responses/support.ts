import { readdirSync, readFileSync } from "node:fs";
import { createCollector } from "../../../../src/canonical/collect.ts";
import { type CanonicalEvent, makeEvent, readEvent, type UpstreamEvent } from "../../../../src/canonical/event.ts";
import type { AnswerContext } from "../../../../src/dialects/dialect.ts";
import { responsesDialect } from "../../../../src/dialects/responses/index.ts";
import type { ResponsesClientBody } from "../../../../src/dialects/responses/schema.ts";
import { createSseDecoder } from "../../../../src/sse/decode.ts";

const streams = new URL("../../../fixtures/streams/", import.meta.url);

export const fixtureNames = readdirSync(streams).filter((name) => name.endsWith(".sse"));

export const context: AnswerContext = {
  id: "ctx1",
  createdAt: 1_700_000_000,
  requestId: "req1",
  inputTokens: () => 12,
  choice: { index: 0, of: 1 },
};

export const noHeaders = () => undefined;

export function headers(values: Record<string, string>) {
  return (name: string) => values[name.toLowerCase()];
}

export function bodyOf(fields: Record<string, unknown> = {}): ResponsesClientBody {
  return responsesDialect.readRequest({ model: "gpt-5.5", input: "hi", ...fields });
}

/** Events of a recorded stream, its bytes cut into pieces of `size`. */
export function eventsOf(fixture: string, size = Number.POSITIVE_INFINITY): UpstreamEvent[] {
  const bytes = new Uint8Array(readFileSync(new URL(fixture, streams)));
  const events: UpstreamEvent[] = [];
  const decoder = createSseDecoder((data) => {
    const event = readEvent(data);
    if (event) events.push(event);
  });
  for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, Math.min(bytes.length, at + size)));
  decoder.end();
  return events;
}

export interface Sent {
  type: string;
  sequence_number: number;
  [key: string]: unknown;
}

/** What a client reads from the encoder's text. */
function readFrames(text: string): Sent[] {
  const frames = text.split("\n\n").filter((frame) => frame !== "" && !frame.startsWith(":"));
  return frames.map((frame) => {
    const [event, data] = frame.split("\n");
    const value = JSON.parse((data ?? "").slice("data: ".length)) as Sent;
    if (event !== `event: ${value.type}`) throw new Error(`event name and type differ: ${event} / ${value.type}`);
    return value;
  });
}

export function encodeText(events: readonly UpstreamEvent[], body = bodyOf({ stream: true })): string {
  const encoder = responsesDialect.createEncoder(body, context);
  return events.map((event) => encoder.push(event)).join("");
}

export function encode(events: readonly UpstreamEvent[], body = bodyOf({ stream: true })): Sent[] {
  return readFrames(encodeText(events, body));
}

export function events(...values: (CanonicalEvent | Record<string, unknown>)[]): UpstreamEvent[] {
  return values.map((value) => makeEvent(value as CanonicalEvent));
}

/** The whole answer from the same events; undefined when they tell of a failure. */
export function whole(list: readonly UpstreamEvent[], body = bodyOf()): Record<string, unknown> | undefined {
  const collector = createCollector();
  for (const event of list) collector.push(event);
  try {
    return responsesDialect.fromCanonical([collector.finish()], body, context) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
