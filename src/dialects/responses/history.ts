import type { CanonicalResponse } from "../../canonical/response.ts";
import { ProxyError } from "../../errors.ts";
import type { JsonObject } from "../../json.ts";
import { toResponseObject } from "./response.ts";
import type { ResponsesClientBody } from "./schema.ts";
import { makeItemId } from "./vocabulary.ts";

/** The memory that a request may refer to: `sessions/response-store.ts`. */
export interface HistorySource {
  history(id: string): JsonObject[] | undefined;
  item(id: string): JsonObject | undefined;
}

export interface HistoryStore extends HistorySource {
  put(stored: { response: JsonObject; input: readonly JsonObject[]; previousId?: string }): void;
}

/** A request with its history, and what keeps its answer. */
export interface OpenedResponse {
  readonly body: ResponsesClientBody;
  /** Absent when the client asked that nothing be stored. */
  readonly remember?: (answer: CanonicalResponse, id: string) => void;
}

/**
 * The request with everything it refers to in place.
 * @param createdAt epoch seconds, for the stored answer where upstream gives none.
 * @throws ProxyError as `expandHistory`.
 */
export function openHistory(body: ResponsesClientBody, store: HistoryStore, createdAt: number): OpenedResponse {
  const expanded = expandHistory(body, store);
  if (body.store === false) return { body: expanded };
  const remember = (answer: CanonicalResponse, id: string): void => {
    const response = toResponseObject(answer, body, { id, createdAt });
    const own = expanded === body ? body.input : resolveItems(body.input, store);
    const previousId = body.previous_response_id;
    const input = toStoredItems(own, String(response.id));
    store.put({ response, input, ...(previousId ? { previousId } : {}) });
  };
  return { body: expanded, remember };
}

/**
 * Puts the turns that `previous_response_id` names before the request's own input, and stored items where
 * `item_reference` names them. The same object when it refers to nothing.
 * @throws ProxyError 400 `previous_response_not_found`, or 404 for an item that is not stored.
 */
export function expandHistory(body: ResponsesClientBody, store: HistorySource): ResponsesClientBody {
  const own = resolveItems(body.input, store);
  const previousId = body.previous_response_id;
  if (!previousId) return own === body.input ? body : { ...body, input: own };
  const history = store.history(previousId);
  if (!history) {
    throw new ProxyError("invalid_request", `Previous response with id '${previousId}' not found.`, {
      param: "previous_response_id",
      code: "previous_response_not_found",
    });
  }
  return { ...body, input: [...history, ...asItems(own)] };
}

function resolveItems(input: string | JsonObject[], store: HistorySource): string | JsonObject[] {
  if (typeof input === "string") return input;
  let changed: JsonObject[] | undefined;
  for (const [index, item] of input.entries()) {
    const resolved = resolveItem(item, store);
    if (resolved === item) continue;
    changed ??= [...input];
    changed[index] = resolved;
  }
  return changed ?? input;
}

function resolveItem(item: JsonObject, store: HistorySource): JsonObject {
  const id = item.id;
  if (typeof id !== "string") return item;
  // A client that did not ask for the encrypted form replays reasoning by its id.
  if (item.type === "reasoning") return item.encrypted_content ? item : (store.item(id) ?? item);
  if (item.type !== "item_reference" && (item.type ?? item.role ?? undefined) !== undefined) return item;
  const stored = store.item(id);
  if (stored) return stored;
  throw new ProxyError(
    "invalid_request",
    `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`,
    { status: 404, param: "input" },
  );
}

function asItems(input: string | JsonObject[]): JsonObject[] {
  return typeof input === "string" ? [{ type: "message", role: "user", content: input }] : input;
}

/** Items as `GET …/input_items` lists them: each with a type, an id and a status, messages with parts. */
function toStoredItems(input: string | JsonObject[], responseId: string): JsonObject[] {
  const base = `${responseId.slice("resp_".length).slice(-40)}_in`;
  return asItems(input).map((item, index) => {
    const type = typeof item.type === "string" ? item.type : "message";
    const id = typeof item.id === "string" && item.id !== "" ? item.id : makeItemId(type, base, index);
    if (type !== "message") return item.id === id ? item : { ...item, id };
    return { ...item, id, type, status: item.status ?? "completed", content: partsOf(item) };
  });
}

function partsOf(item: JsonObject): unknown {
  const { content, role } = item;
  if (typeof content !== "string") return content ?? [];
  if (role === "assistant") return [{ type: "output_text", text: content, annotations: [], logprobs: [] }];
  return [{ type: "input_text", text: content }];
}
