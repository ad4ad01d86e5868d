import type { ResponsesBody } from "../../canonical/request.ts";
import { isObject, type JsonObject } from "../../json.ts";
import type { Report } from "./content.ts";
import { fitsStrict, tidySchema } from "./input-schema.ts";
import type { MessagesBody } from "./schema.ts";

/** Thinking budgets, tokens, up to which an effort serves; Claude Code's own steps are 4,000, 10,000 and 31,999. */
const BUDGETS: readonly (readonly [number, string])[] = [
  [4_096, "low"],
  [16_384, "medium"],
  [32_768, "high"],
];

/**
 * Whether thinking blocks are shown. As in the API they are not when the request does not ask for thinking: programs
 * that read `content[0].text` depend on it.
 */
export function showsThinking(body: MessagesBody): boolean {
  return body.thinking !== undefined && body.thinking !== null && body.thinking.type !== "disabled";
}

/** True when the client wants only the signature of the thinking, not its text. */
export function omitsThinking(body: MessagesBody): boolean {
  return body.thinking?.display === "omitted";
}

export function toReasoning(body: MessagesBody): NonNullable<ResponsesBody["reasoning"]> | undefined {
  const effort = effortOf(body);
  const reasoning: NonNullable<ResponsesBody["reasoning"]> = isObject(body.reasoning) ? { ...body.reasoning } : {};
  if (effort !== undefined) reasoning.effort = effort;
  if (showsThinking(body) && !omitsThinking(body)) reasoning.summary ??= "auto";
  return Object.keys(reasoning).length > 0 ? reasoning : undefined;
}

/** What says most about this turn wins: its own system message, then the request's effort, then the budget. */
function effortOf(body: MessagesBody): string | undefined {
  const asked =
    turnEffort(body) ?? body.output_config?.effort ?? text(body.reasoning_effort, body.model_reasoning_effort);
  if (asked) return asked;
  if (body.thinking?.type === "disabled") return "none";
  const budget = body.thinking?.type === "enabled" ? body.thinking.budget_tokens : undefined;
  if (budget === undefined) return undefined;
  return BUDGETS.find(([most]) => budget <= most)?.[1] ?? "xhigh";
}

function turnEffort({ messages }: MessagesBody): string | undefined {
  const turn = messages.slice(messages.findLastIndex((message) => message.role === "assistant") + 1);
  return (
    turn.findLast((message) => message.role === "system" && message.output_config?.effort)?.output_config?.effort ??
    undefined
  );
}

/** `output_config.format`, or `output_format` of the older beta, as `text.format`; and the verbosity controls. */
export function toText(body: MessagesBody, report: Report): NonNullable<ResponsesBody["text"]> | undefined {
  const result: NonNullable<ResponsesBody["text"]> = isObject(body.text) ? { ...body.text } : {};
  const verbosity = text(body.verbosity, body.text_verbosity, body.model_verbosity);
  if (verbosity !== undefined) result.verbosity = verbosity;
  const format = body.output_config?.format ?? body.output_format;
  if (format) {
    if (format.type === "json_schema" && isObject(format.schema)) result.format = jsonSchema(format.schema);
    else report("output_config.format");
  }
  return Object.keys(result).length > 0 ? result : undefined;
}

/** The Responses API wants a name for a schema, the Messages API has none. */
function jsonSchema(schema: JsonObject): JsonObject {
  const strict = fitsStrict(schema);
  return { type: "json_schema", name: "output", schema: strict ? schema : tidySchema(schema), strict };
}

/** `speed: fast` and the tiers; `auto`, Anthropic's default, leaves the choice to the server's own default. */
export function toServiceTier(body: MessagesBody): string | undefined {
  if (body.speed === "fast") return "priority";
  if (body.service_tier === "standard_only") return "default";
  return body.service_tier === "auto" ? undefined : text(body.service_tier);
}

/** Reports the context edits that are not done here; keeping all thinking is what happens anyway. */
export function reportContextEdits(body: MessagesBody, report: Report): void {
  const { context_management: management } = body;
  if (!isObject(management) || !Array.isArray(management.edits)) return;
  for (const edit of management.edits) {
    if (!isObject(edit) || (edit.type === "clear_thinking_20251015" && edit.keep === "all")) continue;
    report(`context_management.${String(edit.type)}`);
  }
}

function text(...values: unknown[]): string | undefined {
  return values.find((value): value is string => typeof value === "string" && value !== "");
}
