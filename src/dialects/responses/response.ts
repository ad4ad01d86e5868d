import type { ResponseObject } from "../../canonical/event.ts";
import { isObject, type JsonObject } from "../../json.ts";
import type { AnswerContext } from "../dialect.ts";
import type { ResponsesClientBody } from "./schema.ts";
import { answerId, completeItem, completeUsage, makeItemId } from "./vocabulary.ts";

/** What an answer's own fields are made of. */
export type AnswerIdentity = Pick<AnswerContext, "id" | "createdAt">;

/** The state of an answer at some moment; upstream may have left out almost everything. */
export type AnswerState = Partial<ResponseObject> & Required<Pick<ResponseObject, "status">>;

/**
 * A complete `response` object (https://platform.openai.com/docs/api-reference/responses/object): every field of the
 * schema, the request's parameters as the client sent them, and where it sent none, what upstream says it used.
 */
export function toResponseObject(answer: AnswerState, body: ResponsesClientBody, identity: AnswerIdentity): JsonObject {
  const object: JsonObject = {
    id: answerId(answer.id, identity.id),
    object: "response",
    created_at: answer.created_at ?? identity.createdAt,
    status: answer.status,
    completed_at: answer.completed_at ?? null,
    error: answer.error ?? null,
    incomplete_details: answer.incomplete_details ?? null,
    ...echo(body, answer),
    model: body.model,
    output: outputOf(answer, identity.id),
    usage: completeUsage(answer.usage),
  };
  // Spread first, what upstream says would make each answer's object one of a kind, and building it ten times as slow.
  for (const name of Object.keys(answer)) if (!(name in object) && name !== "local_stop") object[name] = answer[name];
  return object;
}

function outputOf(answer: AnswerState, base: string): JsonObject[] {
  const done = answer.status !== "in_progress" && answer.status !== "queued";
  return (answer.output ?? []).map((item, index) => completeItem(item, makeItemId(item.type, base, index), done));
}

/** The request's parameters in the answer. What upstream says of them is about the translated request, not this one. */
function echo(body: ResponsesClientBody, answer: AnswerState): JsonObject {
  return {
    access_programs: answer.access_programs ?? null,
    background: false,
    conversation: null,
    frequency_penalty: body.frequency_penalty ?? 0,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    max_tool_calls: body.max_tool_calls ?? null,
    metadata: body.metadata ?? {},
    moderation: null,
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    presence_penalty: body.presence_penalty ?? 0,
    previous_response_id: body.previous_response_id ?? null,
    prompt: body.prompt ?? null,
    // Open Responses wants these two present; older versions of OpenAI's document have no null for them.
    prompt_cache_key: body.prompt_cache_key ?? "",
    safety_identifier: body.safety_identifier ?? "",
    prompt_cache_retention: body.prompt_cache_retention ?? null,
    reasoning: reasoningOf(body, answer),
    service_tier: [answer.service_tier, body.service_tier].find((tier) => TIERS.has(tier)) ?? "default",
    store: body.store ?? true,
    temperature: body.temperature ?? answer.temperature ?? 1,
    text: textOf(body, answer),
    tool_choice: body.tool_choice ?? "auto",
    tools: (body.tools ?? []).map(toolOf),
    top_logprobs: body.top_logprobs ?? 0,
    top_p: body.top_p ?? answer.top_p ?? 1,
    truncation: body.truncation ?? "disabled",
    // The schema has a string or nothing here, while upstream says null.
    user: body.user ?? undefined,
  };
}

/** Tiers that an answer may have; Codex's own names for them are none. */
const TIERS: ReadonlySet<unknown> = new Set(["auto", "default", "flex", "scale", "priority"]);

function reasoningOf(body: ResponsesClientBody, answer: AnswerState): JsonObject {
  const upstream = isObject(answer.reasoning) ? answer.reasoning : {};
  const asked = body.reasoning?.effort ?? body.reasoning_effort ?? body.model_reasoning_effort;
  // `ultra` is a name of Codex's own: it goes upstream as another effort, which no answer calls so.
  const effort = asked === "ultra" ? upstream.effort : (asked ?? upstream.effort);
  return { ...body.reasoning, effort: effort ?? null, summary: body.reasoning?.summary ?? null };
}

function textOf(body: ResponsesClientBody, answer: AnswerState): JsonObject {
  const upstream = isObject(answer.text) ? answer.text : {};
  const verbosity =
    body.text?.verbosity ?? body.verbosity ?? body.text_verbosity ?? body.model_verbosity ?? upstream.verbosity;
  return { ...body.text, format: formatOf(body.text?.format), verbosity: verbosity ?? "medium" };
}

function formatOf(format: unknown): unknown {
  if (!isObject(format)) return { type: "text" };
  if (format.type !== "json_schema") return format;
  return { ...format, description: format.description ?? "", strict: format.strict ?? false };
}

function toolOf(tool: JsonObject): JsonObject {
  if (tool.type !== "function") return tool;
  const { description = null, parameters = null, strict = true } = tool;
  return { ...tool, description, parameters, strict };
}
