import type { Tool } from "../canonical/request.ts";
import { isObject, type JsonObject } from "../json.ts";
import type { LossReport } from "./dropped.ts";
import { isStrictSchema, objectSchema } from "./schema.ts";

/** Fields that the ChatGPT backend takes for each type of tool; a type that is not here has no counterpart there. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  function: ["type", "name", "description", "parameters", "strict", "defer_loading"],
  custom: ["type", "name", "description", "format", "defer_loading"],
  namespace: ["type", "name", "description", "tools"],
  tool_search: ["type", "execution", "description", "parameters"],
  web_search: [
    "type",
    "external_web_access",
    "search_content_types",
    "filters",
    "user_location",
    "search_context_size",
  ],
  image_generation: [
    "type",
    "action",
    "background",
    "input_fidelity",
    "input_image_mask",
    "model",
    "moderation",
    "output_compression",
    "output_format",
    "partial_images",
    "quality",
    "size",
  ],
};

/** The tools of a request as the ChatGPT backend takes them, and the choice among them. */
export interface ToolSet {
  readonly tools: readonly JsonObject[];
  /** Undefined: not stated, which is `auto`. */
  readonly choice: unknown;
}

/** A tool that upstream itself runs: only the full lane has these. */
export function isHosted(tool: JsonObject): boolean {
  return (
    tool.type === "web_search" ||
    tool.type === "image_generation" ||
    (tool.type === "tool_search" && tool.execution !== "client")
  );
}

/** Reads tools and choice by the backend's rules; what it cannot take is left out and told to `loss`. */
export function seatTools(tools: readonly Tool[] | undefined, choice: unknown, loss: LossReport): ToolSet {
  const taken = takeTools(tools ?? [], loss);
  return seatChoice(taken, choice, loss);
}

function takeTools(tools: readonly Tool[], loss: LossReport): JsonObject[] {
  const names = new Set<string>();
  const taken: JsonObject[] = [];
  for (const tool of tools) {
    const known = takeTool(tool as JsonObject, loss);
    if (!known) continue;
    const name = typeof known.name === "string" ? known.name : `type ${known.type}`;
    // Upstream refuses a second tool of the same name; two equal hosted tools are one.
    if (names.has(name)) continue;
    names.add(name);
    taken.push(known);
  }
  return taken;
}

function takeTool(tool: JsonObject, loss: LossReport): JsonObject | undefined {
  if (!isObject(tool)) return undefined;
  const type = String(tool.type).startsWith("web_search_preview") ? "web_search" : String(tool.type);
  const fields = Object.hasOwn(FIELDS, type) ? FIELDS[type] : undefined;
  if (!fields) {
    loss.drop(`tools.${type}`);
    return undefined;
  }
  const known: JsonObject = {};
  for (const field of fields) {
    const value = field === "type" ? type : tool[field];
    if (value !== undefined && value !== null) known[field] = value;
  }
  if (type === "function") return functionTool(known, loss);
  if (type === "namespace") known.tools = takeTools(Array.isArray(known.tools) ? known.tools : [], loss);
  return known;
}

/** A function's schema made acceptable; a schema that breaks the rules of `strict` is sent without it. */
export function functionTool(tool: JsonObject, loss: LossReport): JsonObject {
  const parameters = objectSchema(tool.parameters);
  const wanted = tool.strict;
  // Responses functions are strict unless they say otherwise, which upstream refuses for an open schema.
  const strict = wanted !== false && isStrictSchema(parameters);
  if (wanted === true && !strict) loss.drop("tools.strict");
  if (parameters === tool.parameters && strict === wanted) return tool;
  return { ...tool, parameters, strict };
}

/** A choice that names what is not there would be refused; `allowed_tools` is honoured by offering only those. */
function seatChoice(tools: readonly JsonObject[], choice: unknown, loss: LossReport): ToolSet {
  if (choice === undefined || choice === null) return { tools, choice: undefined };
  if (tools.length === 0) {
    if (choice !== "auto" && choice !== "none") loss.drop("tool_choice");
    return { tools, choice: undefined };
  }
  if (!isObject(choice)) return { tools, choice };
  if (choice.type === "allowed_tools") {
    const allowed = Array.isArray(choice.tools) ? choice.tools.filter(isObject) : [];
    const offered = tools.filter((tool) => allowed.some((each) => names(each, tool)));
    if (offered.length === 0) return { tools: [], choice: undefined };
    return { tools: offered, choice: choice.mode === "required" ? "required" : "auto" };
  }
  const type = String(choice.type).startsWith("web_search") ? "web_search" : choice.type;
  const named = typeof choice.name === "string" ? { type, name: choice.name } : { type };
  if (
    tools.some(
      (tool) => names(named, tool) || (Array.isArray(tool.tools) && tool.tools.some((each) => names(named, each))),
    )
  )
    return { tools, choice: named };
  loss.drop("tool_choice");
  return { tools, choice: "auto" };
}

function names(choice: JsonObject, tool: JsonObject): boolean {
  if (typeof choice.name === "string") return choice.type === tool.type && choice.name === tool.name;
  return choice.type === tool.type && tool.type !== "function" && tool.type !== "custom";
}
