import type { Tool } from "../../canonical/request.ts";
import { isObject, type JsonObject } from "../../json.ts";
import { type ChatBody, invalid, wrongType } from "./schema.ts";

/** The request's tools in Responses terms: `tools`, legacy `functions`, `web_search_options`. */
export function toTools(body: ChatBody): Tool[] {
  const tools = (body.tools ?? []).map((tool, index) => toTool(tool, `tools[${index}]`));
  (body.functions ?? []).forEach((definition, index) => {
    tools.push(toFunction(definition, `functions[${index}]`));
  });
  if (body.web_search_options && !tools.some((tool) => tool.type === "web_search")) {
    tools.push(toWebSearch(body.web_search_options));
  }
  return tools;
}

function toTool(tool: unknown, path: string): Tool {
  if (!isObject(tool)) throw wrongType(path, "object");
  if (typeof tool.type !== "string") throw wrongType(`${path}.type`, "string");
  // A flat definition is the Responses form, which some programs send here too.
  if (tool.type === "function") return toFunction(tool.function ?? tool, tool.function ? `${path}.function` : path);
  if (tool.type === "custom") return toCustom(tool.custom ?? tool, tool.custom ? `${path}.custom` : path);
  return tool as Tool;
}

/**
 * Chat's `strict` is false unless set, while the Responses API's is true: it has to be said. Absent parameters mean an
 * empty list. What upstream refuses in a schema is mended with those of the other dialects.
 */
function toFunction(definition: unknown, path: string): Tool {
  if (!isObject(definition)) throw wrongType(path, "object");
  const { name, description, parameters, strict } = definition;
  if (typeof name !== "string" || name === "") throw invalid(`${path}.name is required`, `${path}.name`);
  if (parameters !== undefined && parameters !== null && !isObject(parameters)) {
    throw wrongType(`${path}.parameters`, "object");
  }
  return {
    type: "function",
    name,
    ...(typeof description === "string" ? { description } : {}),
    parameters: parameters ?? { type: "object", properties: {} },
    strict: strict === true,
  };
}

function toCustom(definition: unknown, path: string): Tool {
  if (!isObject(definition)) throw wrongType(path, "object");
  const { name, description, format } = definition;
  if (typeof name !== "string" || name === "") throw invalid(`${path}.name is required`, `${path}.name`);
  return {
    type: "custom",
    name,
    ...(typeof description === "string" ? { description } : {}),
    ...(isObject(format) ? { format: toFormat(format) } : {}),
  };
}

/** Chat nests the grammar one level deeper than Responses. */
function toFormat(format: JsonObject): JsonObject {
  return isObject(format.grammar) ? { type: "grammar", ...format.grammar } : format;
}

function toWebSearch(options: JsonObject): Tool {
  const location = options.user_location;
  return {
    type: "web_search",
    ...(options.search_context_size ? { search_context_size: options.search_context_size } : {}),
    ...(isObject(location) && isObject(location.approximate)
      ? { user_location: { type: "approximate", ...location.approximate } }
      : {}),
  };
}

/**
 * `tool_choice`, or the legacy `function_call`, in Responses terms.
 * Undefined when there is nothing to say: no choice, or a choice that forces nothing among no tools.
 */
export function toToolChoice(body: ChatBody, hasTools: boolean): unknown {
  const choice = body.tool_choice ?? body.function_call;
  if (choice === undefined || choice === null) return undefined;
  if (typeof choice === "string") {
    if (choice !== "none" && choice !== "auto" && choice !== "required") {
      throw invalid("tool_choice must be none, auto, required or an object", "tool_choice");
    }
    return hasTools || choice === "required" ? choice : undefined;
  }
  if (body.tool_choice === undefined || body.tool_choice === null) {
    return toNamedTool({ type: "function", name: choice.name }, "function_call");
  }
  if (choice.type === "allowed_tools") return toAllowedTools(choice);
  return toNamedTool(choice, "tool_choice");
}

function toAllowedTools(choice: JsonObject): JsonObject {
  const allowed = choice.allowed_tools ?? choice;
  if (!isObject(allowed) || !Array.isArray(allowed.tools)) throw wrongType("tool_choice.allowed_tools.tools", "array");
  const tools = allowed.tools.map((tool: unknown, index) => {
    const path = `tool_choice.allowed_tools.tools[${index}]`;
    if (!isObject(tool)) throw wrongType(path, "object");
    return toNamedTool(tool, path);
  });
  return { type: "allowed_tools", mode: allowed.mode ?? "auto", tools };
}

/** `{type, function: {name}}` → `{type, name}`; a hosted tool has its type only and stays as it is. */
function toNamedTool(choice: JsonObject, path: string): JsonObject {
  if (choice.type !== "function" && choice.type !== "custom") return choice;
  const nested = choice[choice.type];
  const name = isObject(nested) ? nested.name : choice.name;
  if (typeof name !== "string") throw wrongType(`${path}.${choice.type}.name`, "string");
  return { type: choice.type, name };
}
