import { ProxyError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import type { Bounds } from "./bounded-map.ts";
import { createChainStore } from "./chain-store.ts";

/** One answered request of the Responses API. */
interface StoredResponse {
  /** The complete `response` object as the client saw it. */
  readonly response: JsonObject;
  /** What this request itself brought, each item with an `id`; earlier turns are reached by `previousId`. */
  readonly input: readonly JsonObject[];
  /** The response that this one continues. */
  readonly previousId?: string;
}

/** Query of `GET /v1/responses/{id}/input_items`, as it stands in the URL. */
interface ItemQuery {
  limit?: string | null;
  order?: string | null;
  after?: string | null;
  before?: string | null;
}

/** OpenAI's list object; `first_id` and `last_id` are empty for an empty list. */
interface ItemList {
  object: "list";
  data: JsonObject[];
  first_id: string;
  last_id: string;
  has_more: boolean;
}

/** Emulates the storage that upstream does not offer: responses by id, their items, their history. */
export interface ResponseStore {
  put(stored: StoredResponse): void;
  get(id: string): JsonObject | undefined;
  /** False when there was no such response. Turns that continue it keep their history. */
  delete(id: string): boolean;
  /** Everything said up to and with this response: input and output of each turn, oldest first. */
  history(id: string): JsonObject[] | undefined;
  /** An item of any stored turn, for `item_reference`. */
  item(id: string): JsonObject | undefined;
  /**
   * The input items of a response, those of earlier turns included, a page at a time.
   * @throws ProxyError `invalid_request` for a bad `limit` or `order`; `not_found` for an unknown cursor.
   */
  inputItems(id: string, query: ItemQuery): ItemList | undefined;
}

const DEFAULT_PAGE = 20;
const LARGEST_PAGE = 100;

export function createResponseStore(bounds: Bounds): ResponseStore {
  const items = new Map<string, JsonObject>();
  const turns = createChainStore<StoredResponse>(bounds, {
    added(turn) {
      for (const item of itemsOf(turn)) if (typeof item.id === "string") items.set(item.id, item);
    },
    dropped(turn) {
      for (const item of itemsOf(turn)) if (items.get(String(item.id)) === item) items.delete(String(item.id));
    },
  });
  return {
    put: (stored) => turns.put(String(stored.response.id), stored, stored.previousId),
    get: (id) => turns.get(id)?.response,
    delete: (id) => turns.delete(id),
    history: (id) => turns.lineage(id)?.flatMap(itemsOf),
    item: (id) => items.get(id),
    inputItems(id, query) {
      const lineage = turns.lineage(id);
      const own = lineage?.pop();
      if (!lineage || !own) return undefined;
      return page([...lineage.flatMap(itemsOf), ...own.input], query);
    },
  };
}

function itemsOf(turn: StoredResponse): JsonObject[] {
  const { output } = turn.response;
  return [...turn.input, ...(Array.isArray(output) ? (output as JsonObject[]) : [])];
}

function page(all: JsonObject[], query: ItemQuery): ItemList {
  const limit = limitOf(query.limit);
  const order = query.order ?? "desc";
  if (order !== "asc" && order !== "desc") throw invalid("order", "must be 'asc' or 'desc'");
  const ordered = order === "asc" ? all : all.toReversed();
  const from = query.after ? indexOf(ordered, query.after, "after") + 1 : 0;
  const to = query.before ? indexOf(ordered, query.before, "before") : ordered.length;
  const data = ordered.slice(from, Math.min(to, from + limit));
  return {
    object: "list",
    data,
    first_id: String(data[0]?.id ?? ""),
    last_id: String(data.at(-1)?.id ?? ""),
    has_more: from + data.length < to,
  };
}

function limitOf(text: string | null | undefined): number {
  if (text === null || text === undefined) return DEFAULT_PAGE;
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > LARGEST_PAGE) {
    throw invalid("limit", `must be an integer from 1 to ${LARGEST_PAGE}`);
  }
  return limit;
}

function indexOf(items: readonly JsonObject[], id: string, param: string): number {
  const index = items.findIndex((item) => item.id === id);
  if (index < 0) throw new ProxyError("not_found", `no input item has the id '${id}'`, { param });
  return index;
}

function invalid(param: string, rule: string): ProxyError {
  return new ProxyError("invalid_request", `invalid '${param}': it ${rule}`, { param });
}
