import { createCollector } from "../../canonical/collect.ts";
import {
  type CanonicalEvent,
  makeEvent,
  type OutputItem,
  type ResponseObject,
  type UpstreamEvent,
} from "../../canonical/event.ts";
import { failureOfEvent } from "../../canonical/failure.ts";
import { type ProxyError, toProxyError } from "../../errors.ts";
import { KEEP_ALIVE_COMMENT } from "../../sse/encode.ts";
import type { AnswerContext, StreamEncoder } from "../dialect.ts";
import { toErrorObject } from "./errors.ts";
import { createEventCompleter } from "./event-fields.ts";
import { API_EVENTS } from "./event-types.ts";
import { createNativeEncoder } from "./native-stream.ts";
import { isNative } from "./request.ts";
import { type AnswerState, toResponseObject } from "./response.ts";
import type { ResponsesClientBody } from "./schema.ts";
import { numbered } from "./sequence.ts";
import { openingOf, unfoldItem } from "./unfold.ts";
import { answerId, completeItem, makeItemId } from "./vocabulary.ts";

type ItemEvent = Extract<CanonicalEvent, { item: OutputItem }>;
type LifecycleEvent = Extract<CanonicalEvent, { response: ResponseObject }>;

/**
 * Codes that `response.error` may have in OpenAI's schema. A failure with another code is told by an `error` event,
 * whose code is free: clients learn the true reason either way.
 */
const RESPONSE_ERROR_CODES = new Set([
  "server_error",
  "rate_limit_exceeded",
  "invalid_prompt",
  "data_residency_mismatch",
  "bio_policy",
  "misalignment_policy_violation",
  "vector_store_timeout",
  "invalid_image",
  "invalid_image_format",
  "invalid_base64_image",
  "invalid_image_url",
  "image_too_large",
  "image_too_small",
  "image_parse_error",
  "image_content_policy_violation",
  "invalid_image_mode",
  "image_file_too_large",
  "unsupported_image_media_type",
  "empty_image_file",
  "failed_to_download_image",
  "image_file_not_found",
]);

/**
 * Upstream's stream as OpenAI's own (https://platform.openai.com/docs/api-reference/responses-streaming). Events pass in
 * order; what upstream leaves out is filled in, what is no part of the API is left out, and `sequence_number` counts
 * from 0 without a gap. The stream ends with its terminal event: OpenAI sends no `[DONE]` here.
 */
export function createEncoder(body: ResponsesClientBody, context: AnswerContext): StreamEncoder {
  return isNative(body) ? createNativeEncoder(context) : createTypedEncoder(body, context);
}

function createTypedEncoder(body: ResponsesClientBody, context: AnswerContext): StreamEncoder {
  const collector = createCollector();
  /** Item ids by output index, from the first event that tells of the item. */
  const ids: string[] = [];
  /** Names of called functions, by output index. */
  const names: string[] = [];
  /** Items that have begun and not ended, with the number of deltas sent when they began. */
  const open = new Map<number, number>();
  const finished: OutputItem[] = [];
  let response: Partial<ResponseObject> = {};
  let sequence = 0;
  let deltas = 0;
  let latest = 0;
  let state: "new" | "begun" | "ended" = "new";

  const complete = createEventCompleter({
    outputIndex: () => latest,
    itemId: (index: number) => (ids[index] ??= makeItemId("message", context.id, index)),
    itemName: (index: number) => names[index] ?? "",
  });

  const frame = (type: string, data: string): string => `event: ${type}\ndata: ${numbered(data, sequence++)}\n\n`;
  const send = (value: { type: string }): string => frame(value.type, JSON.stringify(value));

  function lifecycle(type: string, answer: AnswerState): string {
    return send({ type, response: toResponseObject(answer, body, context) } as { type: string });
  }

  /** Upstream may begin with something else, or tell its beginning twice. */
  function begin(): string {
    if (state !== "new") return "";
    state = "begun";
    response.id = answerId(response.id, context.id);
    const answer: AnswerState = { ...response, status: "in_progress", output: [] };
    return lifecycle("response.created", answer) + lifecycle("response.in_progress", answer);
  }

  function see(told: ResponseObject): void {
    const { id, output: _output, ...fields } = told;
    response = { ...response, ...fields };
    if (state === "new" && id) response.id = id;
  }

  function itemAdded(event: UpstreamEvent): string {
    const value = event.value as ItemEvent;
    const index = value.output_index ?? finished.length;
    const item = completeItem(value.item, idOf(value.item, index), false);
    latest = index;
    if (item.type === "function_call") names[index] = item.name;
    open.set(index, deltas);
    const changed = item !== value.item || value.output_index === undefined;
    const whole = changed ? makeEvent({ ...value, output_index: index, item }) : event;
    collector.push(whole);
    return frame(whole.type, whole.data);
  }

  function itemDone(event: UpstreamEvent): string {
    const value = event.value as ItemEvent;
    const index = value.output_index ?? finished.length;
    const item = completeItem(value.item, idOf(value.item, index), true);
    // Told twice: what comes after an item's end says nothing new.
    if (finished[index] !== undefined && !open.has(index)) return "";
    let text = "";
    if (!open.has(index)) {
      text += itemAdded(makeEvent({ type: "response.output_item.added", output_index: index, item: openingOf(item) }));
    }
    if (open.get(index) === deltas) text += unfoldItem(item, index).map(pass).join("");
    open.delete(index);
    finished[index] = item;
    const changed = item !== value.item || value.output_index === undefined;
    const whole = changed ? makeEvent({ ...value, output_index: index, item }) : event;
    collector.push(whole);
    return text + frame(whole.type, whole.data);
  }

  function itemTold(item: OutputItem, output_index: number): string {
    return itemDone(makeEvent({ type: "response.output_item.done", output_index, item }));
  }

  function idOf(item: OutputItem, index: number): string {
    ids[index] ??= item.id || makeItemId(item.type, context.id, index);
    return ids[index];
  }

  function pass(event: UpstreamEvent): string {
    const data = complete(event);
    if (event.type.endsWith(".delta")) {
      deltas++;
      // They make up an item that the answer's end finds open.
      if (open.size > 0) collector.push(event);
    }
    return frame(event.type, data);
  }

  function terminal(event: UpstreamEvent): string {
    const failure = failureOfEvent(event.value);
    const value = event.value as LifecycleEvent;
    if (value.response) see(value.response);
    if (failure) return fail(failure);
    let text = begin();
    // Told by the last event alone: the client's helpers build the answer from the events before it.
    if (ids.length === 0 && deltas === 0) text += (value.response.output ?? []).map(itemTold).join("");
    collector.push(event);
    state = "ended";
    const answer = collector.finish();
    const type = answer.status === "completed" ? "response.completed" : "response.incomplete";
    return text + lifecycle(type, { ...response, status: answer.status, output: answer.output });
  }

  function fail(error: ProxyError): string {
    if (state === "ended") return "";
    const begun = state === "begun";
    state = "ended";
    const told = toErrorObject(error);
    if (!begun || told.code === null || !RESPONSE_ERROR_CODES.has(told.code)) return send(errorEvent(told));
    const failed = { code: told.code, message: told.message };
    const output = finished.filter((item) => item !== undefined);
    return lifecycle("response.failed", { ...response, status: "failed", output, error: failed });
  }

  return {
    push(event) {
      if (state === "ended") return "";
      try {
        switch (event.type) {
          case "response.created":
          case "response.in_progress":
          case "response.queued":
            see((event.value as LifecycleEvent).response);
            return begin();
          case "response.completed":
          case "response.incomplete":
          case "response.failed":
          case "error":
            return terminal(event);
        }
        if (!API_EVENTS.has(event.type)) return "";
        const start = begin();
        if (event.type === "response.output_item.added") return start + itemAdded(event);
        if (event.type === "response.output_item.done") return start + itemDone(event);
        return start + pass(event);
      } catch (cause) {
        return fail(toProxyError(cause));
      }
    },
    fail,
    keepAlive: () => (state === "ended" ? "" : KEEP_ALIVE_COMMENT),
  };
}

/**
 * The schema has the fields at the top; the live API and the clients that read it (AI SDK) have them in `error`, where
 * a code is always a string. Both are given.
 */
function errorEvent(told: ReturnType<typeof toErrorObject>): { type: string } {
  const { message, param, code } = told;
  return { type: "error", code, message, param, error: { ...told, code: code ?? told.type } } as { type: string };
}
