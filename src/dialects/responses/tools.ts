import type { Tool } from "../../canonical/request.ts";
import { isObject, type JsonObject } from "../../json.ts";

/** Earlier and dated names of the hosted search; upstream knows the plain one. */
const WEB_SEARCH = /^web_search(_preview)?(_\d{4}_\d{2}_\d{2})?$/;

/**
 * A client's tool list with the search tool by its present name; all else goes on by reference. Schemas and the default
 * of `strict` are the backend's affair.
 */
export function toTools(tools: readonly JsonObject[]): Tool[] {
  return tools.map((tool) => plainSearch(tool) as Tool);
}

/** `tool_choice`, with the search tool named as in `toTools`. */
export function toToolChoice(choice: unknown): unknown {
  if (!isObject(choice)) return choice;
  if (choice.type !== "allowed_tools" || !Array.isArray(choice.tools)) return plainSearch(choice);
  return { ...choice, tools: choice.tools.map((tool) => (isObject(tool) ? plainSearch(tool) : tool)) };
}

function plainSearch(tool: JsonObject): JsonObject {
  if (typeof tool.type !== "string" || tool.type === "web_search" || !WEB_SEARCH.test(tool.type)) return tool;
  return { ...tool, type: "web_search" };
}
