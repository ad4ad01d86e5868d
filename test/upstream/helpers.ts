import type { JsonObject } from "./json.ts";
import { DEFAULT_ACCOUNT, mintToken } from "./tokens.ts";
import type { Upstream } from "./types.ts";

/** Headers of a well-behaved ChatGPT client. */
export function seatHeaders(extra: Record<string, string | undefined> = {}): Record<string, string> {
  const all = {
    authorization: `Bearer ${mintToken()}`,
    "chatgpt-account-id": DEFAULT_ACCOUNT,
    originator: "codex_cli_rs",
    "user-agent": "codex_cli_rs/0.169.0 (Linux 6; x86_64) codex-api-proxy/1.0.0",
    accept: "text/event-stream",
    "content-type": "application/json",
    ...extra,
  };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

export const LITE = { "x-openai-internal-codex-responses-lite": "true" };

/** The smallest body that the classic lane takes; a field set to undefined is left out. */
export function classicBody(fields: JsonObject = {}): JsonObject {
  return {
    model: "gpt-5.5",
    instructions: "Be brief.",
    input: [userMessage("hi")],
    stream: true,
    store: false,
    ...fields,
  };
}

/** The smallest body that the lite lane takes. */
export function liteBody(fields: JsonObject = {}): JsonObject {
  return {
    model: "gpt-6-luna",
    input: [userMessage("hi")],
    stream: true,
    store: false,
    parallel_tool_calls: false,
    reasoning: { context: "all_turns" },
    ...fields,
  };
}

export function userMessage(text: string): JsonObject {
  return { type: "message", role: "user", content: [{ type: "input_text", text }] };
}

/** POSTs a body to the seat. */
export function postSeat(
  upstream: Upstream,
  body: object,
  headers: Record<string, string | undefined> = {},
): Promise<Response> {
  return fetch(`${upstream.chatgptBaseUrl}/responses`, {
    method: "POST",
    headers: seatHeaders(headers),
    body: JSON.stringify(body),
  });
}

/** Parses SSE text of `\n` or `\r\n` lines into its JSON events. */
export function parseSse(text: string): JsonObject[] {
  return text
    .split(/\r?\n/)
    .filter((line) => line.startsWith("data: {"))
    .map((line) => JSON.parse(line.slice(6)) as JsonObject);
}

/** Items of the output_item.done events, in order of completion. */
export function doneItems(events: readonly JsonObject[]): JsonObject[] {
  return events.filter((event) => event.type === "response.output_item.done").map((event) => event.item as JsonObject);
}

/** Text of the last message among the items. */
export function textOf(items: readonly JsonObject[]): string {
  const message = items.findLast((item) => item.type === "message");
  const [part] = (message?.content ?? []) as { text?: string; refusal?: string }[];
  return part?.text ?? part?.refusal ?? "";
}
