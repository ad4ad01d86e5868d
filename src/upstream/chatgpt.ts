import { repairInput } from "../canonical/repair.ts";
import type { CanonicalRequest, InputItem, ResponsesBody } from "../canonical/request.ts";
import { isObject, type JsonObject } from "../json.ts";
import { type ControlSources, reasoningOf, seatTier, textOf } from "./controls.ts";
import type { LossReport } from "./dropped.ts";
import { seatItems, withoutImageDetail } from "./items.ts";
import type { Lane } from "./lanes.ts";
import { isStrictSchema } from "./schema.ts";
import { isHosted, seatTools, type ToolSet } from "./tools.ts";

/** Fields the ChatGPT backend takes and that are read one by one below; every other one it refuses by name. */
const TAKEN: ReadonlySet<string> = new Set([
  "model",
  "input",
  "instructions",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "reasoning",
  "text",
  "include",
  "service_tier",
  "prompt_cache_key",
  "client_metadata",
  "stream",
  "store",
]);
/** Left out without a word at these values, since they ask for nothing the backend does not do anyway. */
const IDLE: Readonly<Record<string, (value: unknown) => boolean>> = {
  background: (value) => value === false,
  truncation: (value) => value === "disabled",
  top_logprobs: (value) => value === 0,
  metadata: (value) => isObject(value) && Object.keys(value).length === 0,
  stream_options: () => true,
  generate: () => true,
};
const INCLUDES = ["reasoning.encrypted_content", "web_search_call.action.sources"];
/** Sent only where the backend demands instructions and the client gave none at all. */
const NEUTRAL_INSTRUCTIONS = "You are a helpful assistant.";

export interface SeatRequest {
  readonly request: CanonicalRequest;
  readonly slug: string;
  readonly cacheKey: string;
  readonly sources: ControlSources;
  /** The lite lane has refused any `tool_choice` but `auto`. */
  readonly plainChoice?: boolean;
}

/** A body as it is sent. */
export interface SeatBody {
  readonly body: JsonObject;
  /** The function whose arguments the answer's text is to be: the lane takes no forced choice. */
  readonly forcedCall: string | undefined;
}

/** What a request needs of a lane. */
export interface LaneNeeds {
  readonly hosted: boolean;
  readonly parallel: boolean;
  readonly forced: boolean;
}

export function laneNeeds(body: ResponsesBody): LaneNeeds {
  const tools = body.tools ?? [];
  const choice = body.tool_choice;
  const named = isObject(choice) && (choice.type !== "allowed_tools" || choice.mode === "required");
  return {
    hosted: tools.some((tool) => /^(web_search|image_generation)/.test(tool.type) || isHosted(tool as JsonObject)),
    parallel: tools.length > 0 && body.parallel_tool_calls === true,
    forced: tools.length > 0 && (choice === "required" || named),
  };
}

/**
 * A request as the ChatGPT backend takes it. The fields stand in a fixed order and nothing in them depends on time or
 * chance, so that equal prefixes of a conversation are equal bytes.
 */
export function seatBody(seat: SeatRequest, lane: Exclude<Lane, "platform">, loss: LossReport): SeatBody {
  const { plainChoice = false } = seat;
  const { request, sources } = seat;
  const { body } = request;
  reportRefused(body, loss);
  const all = seatTools(body.tools, body.tool_choice, loss);
  const namespaces = all.tools.some((tool) => tool.type === "namespace");
  const input = repairInput(seatItems(body.input, namespaces, loss));
  const reasoning = reasoningOf(sources);
  const forced = lane === "lite" && plainChoice ? forcedFunction(all) : undefined;
  if (forced) loss.drop("tool_choice", true);
  const shaped =
    lane === "lite"
      ? liteShape(
          body,
          input,
          forced ? { tools: [forced], choice: "auto" } : liteTools(all, plainChoice, loss),
          reasoning,
          loss,
        )
      : classicShape(body, input, all, withContext(body, reasoning, sources, loss));
  const tail: JsonObject = { include: includesOf(body, lane, all, loss), prompt_cache_key: seat.cacheKey };
  const text = textOf(sources, loss);
  if (forced) tail.text = { ...text, format: argumentsFormat(forced) };
  else if (text) tail.text = text;
  const tier = seatTier(sources, loss);
  if (tier) tail.service_tier = tier;
  if (isObject(body.client_metadata)) tail.client_metadata = body.client_metadata;
  const sent = { model: seat.slug, stream: true, store: false, ...shaped, ...tail };
  return { body: sent, forcedCall: forced ? String(forced.name) : undefined };
}

/**
 * The one function that a choice leads to; undefined when the model may choose. It is offered alone, and text that the
 * model gives instead of calling it has the form of its arguments.
 */
function forcedFunction({ tools, choice }: ToolSet): JsonObject | undefined {
  const callable = tools.filter((tool) => !isHosted(tool));
  const wanted = isObject(choice)
    ? callable.filter((tool) => tool.type === choice.type && tool.name === choice.name)
    : choice === "required"
      ? callable
      : [];
  return wanted.length === 1 && wanted[0]?.type === "function" ? wanted[0] : undefined;
}

/** A function's arguments as structured output. */
function argumentsFormat({ name, description, parameters }: JsonObject): JsonObject {
  const strict = isStrictSchema(parameters);
  return { type: "json_schema", name, ...(description ? { description } : {}), schema: parameters, strict };
}

function reportRefused(body: ResponsesBody, loss: LossReport): void {
  for (const field of Object.keys(body)) {
    const value = body[field];
    if (TAKEN.has(field) || value === undefined || value === null) continue;
    if (Object.hasOwn(IDLE, field) && IDLE[field]?.(value)) continue;
    loss.drop(field, field === "max_output_tokens");
  }
}

/** Older models refuse `reasoning.context`; the newer ones take it in both lanes. */
function withContext(
  body: ResponsesBody,
  reasoning: JsonObject | undefined,
  { entry }: ControlSources,
  loss: LossReport,
): JsonObject | undefined {
  const context = body.reasoning?.context;
  if (!context) return reasoning;
  if (entry?.usesResponsesLite) return { ...reasoning, context };
  loss.drop("reasoning.context");
  return reasoning;
}

function classicShape(
  body: ResponsesBody,
  items: InputItem[],
  { tools, choice }: ToolSet,
  reasoning: JsonObject | undefined,
): JsonObject {
  const { instructions, input } = classicInstructions(body, items);
  const shape: JsonObject = { instructions, input };
  if (tools.length > 0) {
    shape.tools = tools;
    shape.tool_choice = choice ?? "auto";
    shape.parallel_tool_calls = body.parallel_tool_calls !== false;
  }
  if (reasoning) shape.reasoning = reasoning;
  return shape;
}

/**
 * The backend wants a non-empty string. Where the client gave its instructions as the first developer message, that
 * message becomes them: same text, same place in the prompt. JSON mode is left alone, since the word "json" must stand
 * in the input.
 */
function classicInstructions(body: ResponsesBody, input: InputItem[]): { instructions: string; input: InputItem[] } {
  if (typeof body.instructions === "string" && body.instructions.trim() !== "")
    return { instructions: body.instructions, input };
  const lead = input.length > 1 && body.text?.format?.type !== "json_object" ? developerText(input[0]) : undefined;
  if (lead === undefined) return { instructions: NEUTRAL_INSTRUCTIONS, input };
  return { instructions: lead, input: input.slice(1) };
}

function developerText(item: InputItem | undefined): string | undefined {
  if (item?.type !== "message" || (item as JsonObject).role !== "developer") return undefined;
  const { content } = item as { content: unknown };
  if (typeof content === "string") return content.trim() === "" ? undefined : content;
  if (!Array.isArray(content) || !content.every((part) => isObject(part) && typeof part.text === "string"))
    return undefined;
  const text = content.map((part: JsonObject) => part.text).join("\n\n");
  return text.trim() === "" ? undefined : text;
}

/** Tools as the first input item, then the instructions, one call at a time, all turns' reasoning. */
function liteShape(
  body: ResponsesBody,
  items: InputItem[],
  { tools, choice }: ToolSet,
  reasoning: JsonObject | undefined,
  loss: LossReport,
): JsonObject {
  const given = items.filter((item) => item.type === "additional_tools");
  const offered = [
    ...tools,
    ...given.flatMap((item) => (Array.isArray(item.tools) ? (item.tools as JsonObject[]) : [])),
  ];
  const rest = withoutImageDetail(given.length > 0 ? items.filter((item) => item.type !== "additional_tools") : items);
  const head: InputItem[] = [];
  if (offered.length > 0) head.push({ type: "additional_tools", role: "developer", tools: offered });
  if (typeof body.instructions === "string" && body.instructions.trim() !== "")
    head.push({ type: "message", role: "developer", content: [{ type: "input_text", text: body.instructions }] });
  if (body.parallel_tool_calls === true && offered.length > 0) loss.drop("parallel_tool_calls");
  const shape: JsonObject = { input: head.length > 0 ? [...head, ...rest] : rest };
  if (offered.length > 0) shape.tool_choice = choice;
  shape.parallel_tool_calls = false;
  shape.reasoning = { ...reasoning, context: "all_turns" };
  return shape;
}

/**
 * Hosted tools are refused here. A forced choice is sent as it is; where upstream takes `auto` only, the choice of one
 * function is kept by structured output (`forcedFunction`), another named one is kept as far as can be by offering that tool
 * alone, and told as lost. `none` is kept by offering no tool.
 */
function liteTools({ tools, choice }: ToolSet, plainChoice: boolean, loss: LossReport): ToolSet {
  const kept = tools.filter((tool) => {
    if (isHosted(tool)) loss.drop(`tools.${tool.type}`);
    return !isHosted(tool);
  });
  if (choice === undefined || choice === "auto") return { tools: kept, choice: "auto" };
  if (choice === "none") return { tools: [], choice: "auto" };
  const named = isObject(choice) ? kept.filter((tool) => tool.type === choice.type && tool.name === choice.name) : [];
  if (!plainChoice && (named.length > 0 || (choice === "required" && kept.length > 0))) return { tools: kept, choice };
  loss.drop("tool_choice");
  return { tools: named.length > 0 ? named : kept, choice: "auto" };
}

function includesOf(body: ResponsesBody, lane: Lane, { tools }: ToolSet, loss: LossReport): string[] {
  const asked = Array.isArray(body.include) ? body.include : [];
  const search = lane === "classic" && tools.some((tool) => tool.type === "web_search");
  const includes = INCLUDES.slice(0, 1);
  for (const name of asked) {
    if (!INCLUDES.includes(name)) loss.drop("include");
    else if (!includes.includes(name) && search) includes.push(name);
  }
  return includes;
}
