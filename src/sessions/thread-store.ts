import type { CanonicalResponse } from "../canonical/response.ts";
import { messagesDialect } from "../dialects/messages/index.ts";
import { ProxyError } from "../errors.ts";
import { isObject, type JsonObject } from "../json.ts";
import type { Bounds } from "./bounded-map.ts";
import { type ChainStore, createChainStore } from "./chain-store.ts";

/** A request whose `thread` has been served. */
interface OpenedThread {
  /** The body with the whole history and without `thread`; the same object when it had none. */
  readonly body: JsonObject;
  /** Keeps the answer so that the thread can go on; absent when the request is in no thread. */
  readonly remember?: (answer: CanonicalResponse, id: string) => void;
}

/**
 * Message threads of the Messages API (beta `message-threads-2026-08-12`), which the SDKs' tool runners use by default:
 * `{type: "create"}` begins one, `{type: "continue", previous_message_id}` sends only what is new.
 */
export interface ThreadStore {
  /**
   * @throws ProxyError 404 with `details.error_code` `thread_not_found` when the thread has gone: the SDK then replays
   * the history. 400 `thread_unsupported_request` for another kind of thread: the SDK then does without threads.
   */
  open(body: JsonObject): OpenedThread;
}

/** Fields that are given when a thread is created and not again. */
const CREATE_ONLY = ["system", "tools"];

interface Turn {
  readonly fields: JsonObject;
  readonly messages: readonly unknown[];
}

export function createThreadStore(bounds: Bounds): ThreadStore {
  const turns = createChainStore<Turn>(bounds);
  return {
    open(sent) {
      const { thread, ...body } = sent;
      if (thread === undefined || thread === null) return { body: sent };
      if (isObject(thread) && thread.type === "create") return opened(turns, body, body, undefined);
      if (isObject(thread) && thread.type === "continue") return continued(turns, body, thread.previous_message_id);
      throw threadError("invalid_request", "thread_unsupported_request", "`thread.type` must be create or continue");
    },
  };
}

function continued(turns: ChainStore<Turn>, body: JsonObject, previousId: unknown): OpenedThread {
  const history = typeof previousId === "string" ? turns.lineage(previousId) : undefined;
  if (!history) {
    const message = `No usable thread state was found for previous_message_id '${String(previousId)}'. Replay the full conversation with thread {"type": "create"}.`;
    throw threadError("not_found", "thread_not_found", message);
  }
  const fields = Object.assign({}, ...history.map((turn) => turn.fields)) as JsonObject;
  const messages = [...history.flatMap((turn) => turn.messages), ...messagesOf(body)];
  return opened(turns, body, { ...fields, ...body, messages }, previousId as string);
}

function opened(
  turns: ChainStore<Turn>,
  own: JsonObject,
  body: JsonObject,
  previousId: string | undefined,
): OpenedThread {
  return {
    body,
    remember(answer, id) {
      const message = assistantMessage(answer, body, id);
      const fields = Object.fromEntries(CREATE_ONLY.filter((name) => name in own).map((name) => [name, own[name]]));
      turns.put(message.id, { fields, messages: [...messagesOf(own), ...message.turn] }, previousId);
    },
  };
}

/** The answer as the client got it: its id, and the turn it adds to the history. */
function assistantMessage(answer: CanonicalResponse, body: JsonObject, id: string): { id: string; turn: JsonObject[] } {
  const context = { id, createdAt: 0, requestId: id, inputTokens: () => 0, choice: { index: 0, of: 1 } };
  const message = messagesDialect.fromCanonical([answer], body as never, context) as JsonObject;
  const content = Array.isArray(message.content) ? message.content : [];
  return { id: String(message.id), turn: content.length === 0 ? [] : [{ role: "assistant", content }] };
}

function messagesOf(body: JsonObject): unknown[] {
  return Array.isArray(body.messages) ? body.messages : [];
}

function threadError(kind: "not_found" | "invalid_request", code: string, message: string): ProxyError {
  return new ProxyError(kind, message, { param: "thread", details: { error_code: code } });
}
