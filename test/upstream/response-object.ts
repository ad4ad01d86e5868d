import { newId } from "./answers.ts";
import { asString, isObject, type JsonObject } from "./json.ts";
import type { Accepted } from "./rules-seat.ts";

/** The `response` object of an answer, without output and usage. `now` in epoch milliseconds. */
export function toResponseObject(request: Accepted, now: number): JsonObject {
  const { body } = request;
  const reasoning = isObject(body.reasoning) ? body.reasoning : {};
  const text = isObject(body.text) ? body.text : {};
  return {
    id: newId("resp"),
    object: "response",
    created_at: Math.floor(now / 1000),
    status: "in_progress",
    background: false,
    error: null,
    incomplete_details: null,
    instructions: body.instructions ?? "",
    max_output_tokens: body.max_output_tokens ?? null,
    model: request.model.slug,
    output: [],
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: body.previous_response_id ?? null,
    prompt_cache_key: body.prompt_cache_key ?? null,
    prompt_cache_retention: "24h",
    reasoning: { effort: reasoning.effort ?? request.model.defaultEffort, summary: reasoning.summary ?? null },
    // The seat echoes `default` whatever it was asked for.
    service_tier: request.platform ? asString(body.service_tier) || "auto" : "default",
    store: body.store ?? true,
    temperature: body.temperature ?? 1,
    text: { format: text.format ?? { type: "text" }, verbosity: text.verbosity ?? "medium" },
    tool_choice: body.tool_choice ?? "auto",
    tools: body.tools ?? [],
    top_p: body.top_p ?? 1,
    truncation: body.truncation ?? "disabled",
    usage: null,
    user: null,
    metadata: body.metadata ?? {},
  };
}
