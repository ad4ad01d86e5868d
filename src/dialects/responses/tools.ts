import type { Tool } from "../../canonical/request.ts";
import { isObject, type JsonObject } from "../../json.ts";
import { isStrictParameters } from "./strict-schema.ts";

/** Earlier and dated names of the hosted search; upstream knows the plain one. */
const WEB_SEARCH = /^web_search(_preview)?(_\d{4}_\d{2}_\d{2})?$/;

/** A client's tool list in the words that every backend takes. Tools that need no change go on by reference. */
export function toTools(tools: readonly JsonObject[]): Tool[] {
  return tools.map((tool) => {
    if (tool.type === "function") return toFunctionTool(tool) as Tool;
    return plainSearch(tool) as Tool;
  });
}

/** `tool_choice`, with the search tool named as in `toTools`. */
export function toToolChoice(choice: unknown): unknown {
  if (!isObject(choice)) return choice;
  if (choice.type !== "allowed_tools" || !Array.isArray(choice.tools)) return plainSearch(choice);
  return { ...choice, tools: choice.tools.map((tool) => (isObject(tool) ? plainSearch(tool) : tool)) };
}

/**
 * A function is strict unless the client says otherwise, and upstream then refuses a schema that is not. OpenAI falls
 * back to loose decoding for a client that did not ask, so `strict: false` is spelt out exactly there; an explicit
 * `true` stays, and a bad schema is upstream's to refuse.
 */
function toFunctionTool(tool: JsonObject): JsonObject {
  const { strict, parameters } = tool;
  if (strict === true) return tool;
  const loose = strict === false || !isStrictParameters(parameters);
  if (!loose) return strict === undefined ? tool : { ...tool, strict: true };
  const fixed = withProperties(parameters);
  if (strict === false && fixed === parameters) return tool;
  const changed: JsonObject = { ...tool, strict: false };
  if (isObject(fixed)) changed.parameters = fixed;
  return changed;
}

/** A function without arguments is often given as a bare `{type: "object"}`, or as nothing at all. */
function withProperties(parameters: unknown): unknown {
  if (parameters === undefined || parameters === null) return { type: "object", properties: {} };
  if (!isObject(parameters) || isObject(parameters.properties)) return parameters;
  if (parameters.type !== "object" && parameters.type !== undefined) return parameters;
  return { ...parameters, type: "object", properties: {} };
}

function plainSearch(tool: JsonObject): JsonObject {
  if (typeof tool.type !== "string" || tool.type === "web_search" || !WEB_SEARCH.test(tool.type)) return tool;
  return { ...tool, type: "web_search" };
}
