import { isObject, type JsonObject } from "../../json.ts";

/**
 * True for the one tool whose arguments are mended. Models fill optional strings with "", and Claude Code's Read refuses
 * `pages: ""`. Any other empty string may be meant: Edit's `new_string: ""` deletes text.
 */
export function needsMending(tool: string): boolean {
  return tool === "Read";
}

/** The arguments' JSON text as the client is to see it; no arguments are an empty object. */
export function mendArguments(tool: string, json: string): string {
  if (json.trim() === "") return "{}";
  if (!needsMending(tool)) return json;
  const value = parse(json);
  if (!isObject(value) || value.pages !== "") return json;
  const { pages: _pages, ...rest } = value;
  return JSON.stringify(rest);
}

/** The arguments as an object; text that is none, of a call that was cut short, stays visible under its own name. */
export function toToolInput(tool: string, json: string): JsonObject {
  const text = mendArguments(tool, json);
  const value = parse(text);
  return isObject(value) ? value : { unparsed_arguments: text };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
