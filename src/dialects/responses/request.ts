import type { CanonicalRequest, ResponsesBody } from "../../canonical/request.ts";
import { isObject, type JsonObject } from "../../json.ts";
import type { HeaderReader } from "../dialect.ts";
import { toInputItems } from "./input-items.ts";
import type { ResponsesClientBody } from "./schema.ts";
import { toToolChoice, toTools } from "./tools.ts";

/** Bodies that go upstream as they are; the encoder asks, and it sees no headers. */
const nativeBodies = new WeakSet<ResponsesClientBody>();

/** True for a body that `toCanonical` found to be Codex's own: its events are not touched either. */
export function isNative(body: ResponsesClientBody): boolean {
  return nativeBodies.has(body);
}

/** Headers by which a client names its conversation, in order of trust. */
const SESSION_HEADERS = ["session-id", "x-session-id", "x-session-affinity", "x-client-session-id"];

/** Fields that the proxy honours itself, and the flat names of request controls that are folded into their objects. */
const OWN_FIELDS = new Set([
  "stream",
  "store",
  "background",
  "previous_response_id",
  "reasoning_effort",
  "model_reasoning_effort",
  "verbosity",
  "text_verbosity",
  "model_verbosity",
]);

const ENCRYPTED_REASONING = "reasoning.encrypted_content";

/**
 * A client body as a canonical request. `previous_response_id` and `item_reference` are expected to be resolved
 * (`expandHistory`). Reasoning is always asked for in encrypted form, and also given to clients that did not ask: the
 * store and the memory between turns need it, and an unknown field harms nobody.
 */
export function toCanonical(body: ResponsesClientBody, header: HeaderReader): CanonicalRequest {
  const sessionKey = sessionKeyOf(body, header);
  const common = { stop: [], dropped: [], clientNames: {}, ...(sessionKey === undefined ? {} : { sessionKey }) };
  if (isCodexShape(body, header)) {
    nativeBodies.add(body);
    return { ...common, body: body as unknown as ResponsesBody, native: true };
  }
  return { ...common, body: toBody(body) };
}

function toBody(client: ResponsesClientBody): ResponsesBody {
  const body: JsonObject = {};
  for (const [name, value] of Object.entries(client)) if (!OWN_FIELDS.has(name)) body[name] = value;
  body.input = toInputItems(client.input);
  if (client.tools) body.tools = toTools(client.tools);
  if (client.tool_choice !== undefined) body.tool_choice = toToolChoice(client.tool_choice);
  const effort = client.reasoning?.effort ?? client.reasoning_effort ?? client.model_reasoning_effort;
  if (effort !== undefined) body.reasoning = { ...client.reasoning, effort };
  const verbosity = client.text?.verbosity ?? client.verbosity ?? client.text_verbosity ?? client.model_verbosity;
  if (verbosity !== undefined) body.text = { ...client.text, verbosity };
  body.include = [...new Set([...(client.include ?? []), ENCRYPTED_REASONING])];
  return body as unknown as ResponsesBody;
}

/**
 * Codex's own body: the lite form by its first item, else any stored-nowhere stream from a client that says it is
 * Codex. A program that merely borrows Codex's headers and sends other shapes is translated like everyone else.
 */
function isCodexShape(body: ResponsesClientBody, header: HeaderReader): boolean {
  if (!Array.isArray(body.input) || body.stream !== true || body.store !== false) return false;
  const first = body.input[0];
  if (isObject(first) && first.type === "additional_tools") return true;
  return (
    header("originator")?.startsWith("codex") === true ||
    header("x-openai-internal-codex-responses-lite") !== undefined ||
    header("x-codex-window-id") !== undefined ||
    header("x-codex-turn-metadata") !== undefined
  );
}

function sessionKeyOf(body: ResponsesClientBody, header: HeaderReader): string | undefined {
  if (typeof body.prompt_cache_key === "string" && body.prompt_cache_key !== "") return body.prompt_cache_key;
  for (const name of SESSION_HEADERS) {
    const value = header(name);
    if (value) return value;
  }
  return undefined;
}
