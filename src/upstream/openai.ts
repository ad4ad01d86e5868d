import { repairInput } from "../canonical/repair.ts";
import type { CanonicalRequest, InputItem } from "../canonical/request.ts";
import { isObject, type JsonObject } from "../json.ts";
import { type ControlSources, reasoningOf, textOf } from "./controls.ts";
import type { LossReport } from "./dropped.ts";
import { functionTool } from "./tools.ts";

/** api.openai.com refuses a smaller `max_output_tokens`; below it the proxy cuts by itself. */
const LEAST_OUTPUT_TOKENS = 16;
/** Fields of Codex's own that api.openai.com does not know. */
const CODEX_ONLY = new Set(["access_programs", "generate"]);

/** A translated request as api.openai.com takes it: nearly all goes as it is. */
export function platformBody(
  request: CanonicalRequest,
  slug: string,
  cacheKey: string,
  sources: ControlSources,
  loss: LossReport,
): { body: JsonObject; maxOutputTokens: number | undefined } {
  const { body } = request;
  const sent: JsonObject = { model: slug, stream: true, store: body.store === true };
  for (const field of Object.keys(body)) {
    const value = body[field];
    if (field in sent || CODEX_ONLY.has(field) || value === undefined || value === null) continue;
    sent[field] = value;
  }
  sent.input = platformInput(request);
  if (Array.isArray(body.tools)) {
    if (body.tools.length === 0) {
      for (const field of ["tools", "tool_choice", "parallel_tool_calls"]) delete sent[field];
    } else {
      sent.tools = body.tools.map((tool) => (tool.type === "function" ? functionTool(tool as JsonObject, loss) : tool));
    }
  }
  sent.prompt_cache_key = cacheKey;
  setOrDelete(sent, "reasoning", platformReasoning(sources));
  setOrDelete(sent, "text", textOf(sources, loss));
  setOrDelete(sent, "service_tier", platformTier(sources, loss));
  const limit = body.max_output_tokens ?? undefined;
  const small = typeof limit === "number" && limit < LEAST_OUTPUT_TOKENS;
  if (small) sent.max_output_tokens = LEAST_OUTPUT_TOKENS;
  return { body: sent, maxOutputTokens: small ? limit : undefined };
}

/** Pairs are mended only in a history that is whole: with a stored response or references the other half is upstream. */
function platformInput({ body }: CanonicalRequest): InputItem[] {
  const partial =
    Boolean(body.previous_response_id) ||
    Boolean(body.conversation) ||
    body.input.some((item) => item.type === "item_reference");
  const input = body.input.map(withoutCodexMetadata);
  return partial ? input : repairInput(input);
}

function withoutCodexMetadata(item: InputItem): InputItem {
  if (!("internal_chat_message_metadata_passthrough" in item)) return item;
  const { internal_chat_message_metadata_passthrough: _, ...rest } = item as JsonObject;
  return rest as InputItem;
}

function platformReasoning(sources: ControlSources): JsonObject | undefined {
  const context = sources.body.reasoning?.context;
  const reasoning = reasoningOf(sources);
  return context ? { ...reasoning, context } : reasoning;
}

function platformTier({ body, defaults }: ControlSources, loss: LossReport): string | undefined {
  const wanted = body.service_tier ?? defaults.serviceTier ?? (defaults.fast ? "priority" : undefined);
  if (wanted === "fast") return "priority";
  if (wanted !== "ultrafast") return wanted;
  if (body.service_tier) loss.drop("service_tier");
  return undefined;
}

function setOrDelete(target: JsonObject, field: string, value: unknown): void {
  if (value === undefined || (isObject(value) && Object.keys(value).length === 0)) delete target[field];
  else target[field] = value;
}
