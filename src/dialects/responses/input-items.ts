import type { InputItem } from "../../canonical/request.ts";
import type { JsonObject } from "../../json.ts";

/** Items whose `id` is how another item or upstream's own record refers to them. All others lose it. */
const KEEPS_ID = new Set([
  "local_shell_call",
  "local_shell_call_output",
  "code_interpreter_call",
  "file_search_call",
  "computer_call",
  "mcp_list_tools",
  "mcp_call",
  "mcp_approval_request",
  "program",
  "program_output",
]);

/**
 * A client's `input` as items that upstream takes. Upstream stores nothing, so it answers an item id it gave out
 * earlier with 404: ids go. Items that say nothing to upstream go too: empty assistant turns, and reasoning whose
 * encrypted form the client did not keep.
 */
export function toInputItems(input: string | readonly JsonObject[]): InputItem[] {
  if (typeof input === "string") {
    return [{ type: "message", role: "user", content: [{ type: "input_text", text: input }] }];
  }
  const items: InputItem[] = [];
  for (const item of input) {
    const mapped = toInputItem(item);
    if (mapped) items.push(mapped);
  }
  return items;
}

function toInputItem(item: JsonObject): InputItem | undefined {
  switch (item.type ?? "message") {
    case "message":
      return toMessage(item);
    case "reasoning":
      return toReasoning(item);
    case "function_call":
      return without(item, ["id", "parsed_arguments", "status"]);
    default:
      return KEEPS_ID.has(String(item.type)) ? (item as InputItem) : without(item, ["id"]);
  }
}

function toMessage(item: JsonObject): InputItem | undefined {
  const { type: _type, id: _id, status: _status, role, content, ...rest } = item;
  if (role === "assistant") {
    const parts = assistantParts(content);
    return parts.length === 0 ? undefined : { type: "message", role, content: parts as never, ...present(rest) };
  }
  // Upstream knows no `system` in its input; `developer` is the same message by its present name.
  const upstreamRole = role === "system" ? "developer" : role;
  return { type: "message", role: upstreamRole as "user", content: content as string, ...present(rest) };
}

/** Assistant text must be `output_text`; the SDKs' parse helpers leave a `parsed` field that upstream refuses. */
function assistantParts(content: unknown): JsonObject[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "output_text", text: content }];
  if (!Array.isArray(content)) return [];
  return (content as JsonObject[])
    .filter((part) => part.type !== "output_text" || part.text !== "")
    .map((part) => ("parsed" in part ? without(part, ["parsed"]) : part) as JsonObject);
}

function toReasoning(item: JsonObject): InputItem | undefined {
  if (typeof item.encrypted_content !== "string" || item.encrypted_content === "") return undefined;
  const { content, ...rest } = without(item, ["id", "status"]) as JsonObject;
  const kept = content === null || content === undefined ? rest : { ...rest, content };
  return { ...kept, type: "reasoning", summary: Array.isArray(item.summary) ? item.summary : [] } as InputItem;
}

/** The item without some fields and without nulls that clients print for fields they do not set. */
function without(item: JsonObject, names: readonly string[]): InputItem {
  const copy: JsonObject = {};
  for (const [key, value] of Object.entries(item)) {
    if (value !== null && !names.includes(key)) copy[key] = value;
  }
  return copy as InputItem;
}

function present(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
