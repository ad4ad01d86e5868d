import { readFixture, readFixtureJson } from "./fixtures.ts";
import { asString, isObject, type JsonObject } from "./json.ts";
import type { Behaviour, Matcher, RecordedRequest } from "./types.ts";

/** Behaviours waiting for their requests. */
export class Script {
  #entries: { matcher: Matcher; behaviour: Behaviour; left: number }[] = [];

  add(matcher: Matcher, behaviour: Behaviour): void {
    this.#entries.push({ matcher, behaviour: resolveFixture(behaviour), left: behaviour.times ?? 1 });
  }

  /** The oldest behaviour for this request, which is thereby used up once. */
  take(request: RecordedRequest): Behaviour | undefined {
    const entry = this.#entries.find(({ matcher, left }) => left > 0 && matches(matcher, request));
    if (entry === undefined) return undefined;
    entry.left--;
    return entry.behaviour;
  }

  reset(): void {
    this.#entries = [];
  }
}

/** True when a request is one that the matcher means. */
export function matches(matcher: Matcher, request: RecordedRequest): boolean {
  if (typeof matcher === "string") return request.path.startsWith(matcher) || request.path.endsWith(matcher);
  return matcher instanceof RegExp ? matcher.test(request.path) : matcher(request);
}

/** Reads a fixture into the fields that it stands for; a bad name fails where it was scripted. */
function resolveFixture(behaviour: Behaviour): Behaviour {
  const { fixture } = behaviour;
  if (fixture === undefined) return behaviour;
  if (fixture.endsWith(".sse")) return { ...behaviour, sse: readFixture(`responses/${fixture}`) };
  const content = readFixtureJson(`responses/${fixture}`);
  if (!isObject(content) || typeof content.status !== "number")
    return { ...behaviour, status: 200, body: isObject(content) ? content : {} };
  const headers = (isObject(content.headers) ? content.headers : {}) as Record<string, string>;
  return {
    ...behaviour,
    status: content.status,
    headers: { ...headers, ...behaviour.headers },
    body: content.body as string | object,
  };
}

/** The events of an answer after a behaviour has had its way with them. */
export function distort(events: readonly JsonObject[], behaviour: Behaviour): JsonObject[] {
  const kept = behaviour.doneItemsOnly === true ? events.filter(isLasting) : [...events];
  const last = kept.at(-1) ?? {};
  const changesEnd =
    behaviour.terminal !== undefined || behaviour.cut !== undefined || behaviour.afterEvents !== undefined;
  const body = changesEnd ? kept.slice(0, -1).slice(0, behaviour.afterEvents) : kept.slice(0, -1);
  const middle = Math.ceil(body.length / 2);
  if (behaviour.bigEventBytes !== undefined)
    body.splice(middle, 0, { type: "response.padding", pad: "p".repeat(behaviour.bigEventBytes) });
  if (behaviour.unknownEvents === true)
    body.splice(
      middle,
      0,
      { type: "response.metadata", headers: {} },
      { type: "codex.rate_limits", plan_type: "plus" },
      { type: "response.invented.later", x: [1] },
    );
  const end = changesEnd ? terminalEvent(last, behaviour) : last;
  return end === undefined ? body : [...body, end];
}

function terminalEvent(completed: JsonObject, { terminal }: Behaviour): JsonObject | undefined {
  if (terminal === undefined || terminal === "none") return undefined;
  if ("error" in terminal) return { type: "error", sequence_number: completed.sequence_number, ...terminal.error };
  const response = { ...(isObject(completed.response) ? completed.response : {}), completed_at: undefined };
  if ("failed" in terminal) {
    const error = { code: terminal.failed, message: terminal.message ?? `The request failed: ${terminal.failed}` };
    return {
      type: "response.failed",
      sequence_number: completed.sequence_number,
      response: { ...response, status: "failed", usage: null, error },
    };
  }
  return {
    type: "response.incomplete",
    sequence_number: completed.sequence_number,
    response: { ...response, status: "incomplete", incomplete_details: { reason: terminal.incomplete } },
  };
}

function isLasting(event: JsonObject): boolean {
  return ["response.created", "response.in_progress", "response.output_item.done", "response.completed"].includes(
    asString(event.type),
  );
}

/** SSE text of each event, in the form that the behaviour asks for. */
export function toFrames(events: readonly JsonObject[], behaviour: Behaviour): string[] {
  const end = behaviour.lineEnd ?? "\n";
  const frames = events.map((event) => {
    const name = behaviour.dataOnly === true ? "" : `event: ${asString(event.type)}${end}`;
    return `${name}data: ${JSON.stringify(event)}${end}${end}`;
  });
  const middle = Math.ceil(frames.length / 2);
  if (behaviour.malformedEvents === true)
    frames.splice(middle, 0, `event: response.broken${end}data: {"type":"response.broken",${end}${end}`);
  if (behaviour.unknownEvents === true)
    frames.splice(middle, 0, `: a comment${end}${end}`, `retry: 1000${end}id: 7${end}invented: field${end}${end}`);
  if (behaviour.dataOnly === true && behaviour.terminal === undefined && behaviour.cut === undefined)
    frames.push(`data: [DONE]${end}${end}`);
  return frames;
}
