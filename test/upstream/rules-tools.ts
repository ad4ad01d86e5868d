import { asArray, asString, isObject, type JsonObject, lookup } from "./json.ts";
import {
  detail,
  invalid,
  invalidType,
  invalidValue,
  missingParameter,
  tooLong,
  unknownParameter,
  unsupportedValue,
} from "./refusal.ts";
import { findSchemaFault } from "./schema-rules.ts";

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
const NAME = /^[a-zA-Z0-9_-]+$/;

export interface ToolRules {
  /** Function and custom tools and client-executed tool search only. */
  readonly lite: boolean;
  /** api.openai.com also runs tools that the seat lacks. */
  readonly platform: boolean;
}

/** Checks a tool list. Throws {@link Refusal} 400 for the first fault. */
export function checkTools(tools: unknown, path: string, rules: ToolRules): void {
  if (!Array.isArray(tools)) throw invalidType(path, "an array of objects", tools);
  const names = new Set<string>();
  for (const [index, tool] of tools.entries()) {
    const at = `${path}[${index}]`;
    if (!isObject(tool)) throw invalidType(at, "an object", tool);
    checkTool(tool, at, rules);
    if (typeof tool.name !== "string") continue;
    if (names.has(tool.name))
      throw invalid(
        `Invalid '${at}.name': tool names must be unique, but '${tool.name}' was given twice.`,
        at,
        "invalid_value",
      );
    names.add(tool.name);
  }
}

/** Checks `tool_choice` against the tools of the request. */
export function checkToolChoice(choice: unknown, tools: readonly JsonObject[], lite: boolean): void {
  if (choice === undefined) return;
  if (lite && choice !== "auto")
    throw unsupportedValue("Responses Lite requires `tool_choice` to be `auto`.", "tool_choice");
  if (typeof choice === "string") {
    if (!["auto", "none", "required"].includes(choice))
      throw invalidValue("tool_choice", choice, ["none", "auto", "required"]);
    if (choice === "required" && tools.length === 0)
      throw invalid("Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice", null);
    return;
  }
  if (!isObject(choice)) throw invalidType("tool_choice", "one of a string or object", choice);
  if (choice.type === "allowed_tools") {
    if (choice.mode !== "auto" && choice.mode !== "required")
      throw invalidValue("tool_choice.mode", choice.mode, ["auto", "required"]);
    for (const allowed of asArray(choice.tools).filter(isObject)) checkNamed(allowed, tools);
    return;
  }
  checkNamed(choice, tools);
}

function checkNamed(choice: JsonObject, tools: readonly JsonObject[]): void {
  const type = asString(choice.type);
  if (lookup(FIELDS, type) === undefined) throw invalidValue("tool_choice.type", choice.type, Object.keys(FIELDS));
  const named = type === "function" || type === "custom";
  if (named && typeof choice.name !== "string") throw missingParameter("tool_choice.name");
  for (const field of Object.keys(choice))
    if (field !== "type" && field !== "name") throw unknownParameter(`tool_choice.${field}`);
  const found = tools.some((tool) => tool.type === type && (!named || tool.name === choice.name));
  if (!found)
    throw invalid(
      `Tool choice '${named ? asString(choice.name) : type}' not found in 'tools' parameter.`,
      "tool_choice",
      null,
    );
}

function checkTool(tool: JsonObject, at: string, rules: ToolRules): void {
  if (tool.type === undefined) throw missingParameter(`${at}.type`);
  const type = String(tool.type);
  const fields = lookup(FIELDS, type);
  if (fields === undefined) {
    if (
      rules.platform &&
      ["file_search", "code_interpreter", "mcp", "web_search_preview", "local_shell"].includes(type)
    )
      return;
    throw rules.platform
      ? invalidValue(`${at}.type`, type, Object.keys(FIELDS))
      : detail(`Unsupported tool type: ${type}`);
  }
  const hosted =
    type === "web_search" || type === "image_generation" || (type === "tool_search" && tool.execution !== "client");
  if (rules.lite && hosted)
    throw unsupportedValue(
      "Responses Lite only supports function tools, custom tools, and client-executed tool search.",
      at,
    );
  for (const field of Object.keys(tool)) if (!fields.includes(field)) throw unknownParameter(`${at}.${field}`);
  if (type === "function" || type === "custom" || type === "namespace") checkName(tool.name, `${at}.name`);
  if (tool.description !== undefined && tool.description !== null && typeof tool.description !== "string")
    throw invalidType(`${at}.description`, "a string", tool.description);
  if (type === "function") checkFunction(tool, at);
  if (type === "custom") checkFormat(tool.format, `${at}.format`);
  if (type === "web_search") checkWebSearch(tool, at);
  if (type === "namespace") checkTools(tool.tools, `${at}.tools`, rules);
}

function checkWebSearch(tool: JsonObject, at: string): void {
  const nested = { filters: ["allowed_domains"], user_location: ["type", "city", "country", "region", "timezone"] };
  for (const [name, fields] of Object.entries(nested)) {
    const value = tool[name];
    if (value === undefined || value === null) continue;
    if (!isObject(value)) throw invalidType(`${at}.${name}`, "an object", value);
    for (const field of Object.keys(value))
      if (!fields.includes(field)) throw unknownParameter(`${at}.${name}.${field}`);
  }
  const location = tool.user_location;
  if (isObject(location) && location.type !== "approximate")
    throw invalidValue(`${at}.user_location.type`, location.type, ["approximate"]);
  const size = tool.search_context_size;
  if (size !== undefined && !["low", "medium", "high"].includes(String(size)))
    throw invalidValue(`${at}.search_context_size`, size, ["low", "medium", "high"]);
}

/** A function or tool name: 1 to 64 characters of [a-zA-Z0-9_-]. */
export function checkName(name: unknown, path: string): void {
  if (name === undefined) throw missingParameter(path);
  if (typeof name !== "string") throw invalidType(path, "a string", name);
  if (name.length > 64) throw tooLong(path, 64, name);
  if (!NAME.test(name))
    throw invalid(
      `Invalid '${path}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`,
      path,
      "invalid_value",
    );
}

function checkFunction(tool: JsonObject, at: string): void {
  const { parameters, strict } = tool;
  if (strict !== undefined && strict !== null && typeof strict !== "boolean")
    throw invalidType(`${at}.strict`, "a boolean", strict);
  const name = asString(tool.name);
  const refuse = (text: string) =>
    invalid(`Invalid schema for function '${name}': ${text}`, `${at}.parameters`, "invalid_function_parameters");
  if (parameters === undefined || parameters === null) {
    if (strict === false) return;
    throw missingParameter(`${at}.parameters`);
  }
  if (!isObject(parameters)) throw invalidType(`${at}.parameters`, "an object", parameters);
  if (parameters.type !== "object")
    throw refuse(
      `schema must be a JSON Schema of 'type: "object"', got 'type: "${parameters.type === undefined ? "None" : String(parameters.type)}"'.`,
    );
  for (const keyword of ["oneOf", "anyOf", "allOf", "enum", "not"]) {
    if (keyword in parameters)
      throw refuse(
        "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level.",
      );
  }
  if (parameters.properties === undefined) throw refuse("In context=(), object schema missing properties.");
  // A Responses function is strict unless it says otherwise.
  const fault = findSchemaFault(parameters, strict !== false);
  if (fault !== undefined) throw refuse(fault);
}

function checkFormat(format: unknown, path: string): void {
  if (format === undefined || format === null) return;
  if (!isObject(format)) throw invalidType(path, "an object", format);
  if (format.type === "text") return;
  if (format.type !== "grammar") throw invalidValue(`${path}.type`, format.type, ["text", "grammar"]);
  if (format.syntax !== "lark" && format.syntax !== "regex")
    throw invalidValue(`${path}.syntax`, format.syntax, ["lark", "regex"]);
  if (typeof format.definition !== "string") throw missingParameter(`${path}.definition`);
}
