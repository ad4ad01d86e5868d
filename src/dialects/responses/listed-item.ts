import type { OutputItem } from "../../canonical/event.ts";
import { isObject, type JsonObject } from "../../json.ts";
import { completeItem } from "./vocabulary.ts";

/**
 * An input item as OpenAI's lists give it: clients may leave out what the schema requires of a listed item, or say null
 * for what they do not know.
 */
export function toListedItem(item: JsonObject): JsonObject {
  const { content, output, ...rest } = item;
  const said = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
  const listed: JsonObject = { ...said, ...listedParts({ content, output }) };
  return completeItem(listed as OutputItem, String(item.id), true) as JsonObject;
}

function listedParts(parts: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(parts)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => [name, Array.isArray(value) ? value.map(listedPart) : value]),
  );
}

/** An image whose `detail` the client left to OpenAI has OpenAI's default. */
function listedPart(part: unknown): unknown {
  return isObject(part) && part.type === "input_image" && !part.detail ? { ...part, detail: "auto" } : part;
}
