import { isObject, type JsonObject } from "../../json.ts";
import { UsageError } from "../usage-error.ts";

/**
 * A JSON text with `additions` in it: objects are merged, other values replaced, everything else stays as it is.
 * @throws UsageError when the text is not plain JSON.
 */
export function mergeJson(text: string | undefined, additions: JsonObject): string {
  return `${JSON.stringify(merge(parse(text), additions), null, 2)}\n`;
}

function parse(text: string | undefined): JsonObject {
  if (text === undefined || text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // Told below.
  }
  throw new UsageError(
    "the client's settings file is not plain JSON (comments?); put in by hand what is shown without --write",
  );
}

function merge(base: JsonObject, additions: JsonObject): JsonObject {
  const merged: JsonObject = { ...base };
  for (const [key, value] of Object.entries(additions)) {
    const before = merged[key];
    merged[key] = isObject(before) && isObject(value) ? merge(before, value) : value;
  }
  return merged;
}
