import { expect } from "vitest";
import { violations } from "./openapi.ts";

// biome-ignore lint/suspicious/noExplicitAny: foreign answers, checked field by field
export type Json = any;

/** A server-sent event as a client reads it. */
export interface Frame {
  readonly event: string | undefined;
  readonly data: Json;
}

/** Fails with all that breaks the component of OpenAI's document; gives the value back. */
export function expectLegal(component: string, value: unknown): Json {
  expect(violations(component, value)).toEqual([]);
  return value;
}

/** The events of a whole stream; comments and `[DONE]` are none. */
export function framesOf(text: string): Frame[] {
  return text.split("\n\n").flatMap((block) => {
    const data = /^data: (.*)$/m.exec(block)?.[1];
    if (data === undefined || data === "[DONE]") return [];
    return [{ event: /^event: (.*)$/m.exec(block)?.[1], data: JSON.parse(data) as Json }];
  });
}

/** Fails unless every event of a Responses stream is legal, named by its type, and numbered from 0 without a gap. */
export function expectLegalStream(text: string): Json[] {
  const frames = framesOf(text);
  for (const { event, data } of frames) {
    expectLegal("ResponseStreamEvent", data);
    expect(event).toBe(data.type);
  }
  expect(frames.map(({ data }) => data.sequence_number)).toEqual(frames.map((_, index) => index));
  return frames.map(({ data }) => data);
}
