import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { messageItem, newId } from "./answers.ts";
import { catalogueFor } from "./catalogue.ts";
import { toEvents } from "./events.ts";
import { toFrames } from "./faults.ts";

const framesOf = new Map<number, Buffer[]>();

/** The benchmark's answer: no checks, no recording; as many deltas as asked for, one write each. */
export async function answerFast(
  request: IncomingMessage,
  response: ServerResponse,
  { deltas, paceMs }: { deltas: number; paceMs: number },
): Promise<void> {
  for await (const _ of request);
  if (request.url?.includes("/models") === true) {
    response.writeHead(200, { "content-type": "application/json" });
    return void response.end(JSON.stringify(catalogueFor("999.0.0")));
  }
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  for (const [index, frame] of frames(deltas).entries()) {
    if (paceMs > 0 && index > 0) await sleep(paceMs);
    if (response.destroyed) return;
    if (!response.write(frame)) await Promise.race([once(response, "drain"), once(response, "close")]);
  }
  response.end();
}

function frames(deltas: number): Buffer[] {
  const known = framesOf.get(deltas);
  if (known !== undefined) return known;
  const text = Array.from({ length: deltas }, (_, index) => `token${index} `).join("");
  const response = {
    id: newId("resp"),
    object: "response",
    created_at: 0,
    status: "in_progress",
    model: "gpt-5.5",
    output: [],
  };
  const usage = {
    input_tokens: 100,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: deltas,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 100 + deltas,
  };
  const built = toFrames(toEvents(response, [messageItem(text)], usage, false), {}).map((frame) => Buffer.from(frame));
  framesOf.set(deltas, built);
  return built;
}
