import { randomBytes } from "node:crypto";
import { sealContent } from "./encrypted-content.ts";
import { asArray, asString, isObject, type JsonObject } from "./json.ts";
import type { Accepted } from "./rules-seat.ts";
import { sampleOf } from "./schema-sample.ts";
import { readTurn, type Turn } from "./turn.ts";

const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** The output items that answer a request. Deterministic but for ids. */
export function answer(request: Accepted): JsonObject[] {
  const turn = readTurn(request.input);
  if (turn.compaction) {
    const id = newId("cmp");
    return [{ type: "compaction", id, encrypted_content: sealContent(request.binding, request.model.slug, id) }];
  }
  return [...reasoningItems(request, turn), ...contentItems(request, turn)];
}

/** `msg_...`, `fc_...`: an id of the shape that upstream gives out. */
export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(16).toString("hex")}`;
}

/** An assistant message of one text part. */
export function messageItem(text: string, annotations: readonly object[] = []): JsonObject {
  return message({ type: "output_text", annotations, logprobs: [], text });
}

function message(part: JsonObject): JsonObject {
  return {
    id: newId("msg"),
    type: "message",
    status: "completed",
    role: "assistant",
    content: [part],
    phase: "final_answer",
  };
}

function reasoningItems(request: Accepted, turn: Turn): JsonObject[] {
  const controls = isObject(request.body.reasoning) ? request.body.reasoning : {};
  const effort = asString(controls.effort) || request.model.defaultEffort;
  if (effort === "none" && !turn.directives.reason) return [];
  const id = newId("rs");
  const text = `**Considering the request**\n\nIt has ${turn.userText.length} characters.`;
  const summary = controls.summary === undefined || controls.summary === null ? [] : [{ type: "summary_text", text }];
  const sealed = asArray(request.body.include).includes("reasoning.encrypted_content");
  return [
    {
      id,
      type: "reasoning",
      summary,
      ...(sealed ? { encrypted_content: sealContent(request.binding, request.model.slug, id) } : {}),
    },
  ];
}

function contentItems(request: Accepted, turn: Turn): JsonObject[] {
  const { directives } = turn;
  const choice = request.body.tool_choice;
  const calls = choice === "none" ? [] : toolCalls(request, turn);
  if (calls.length > 0) return directives.say === undefined ? calls : [messageItem(directives.say), ...calls];
  if (turn.toolOutputs.length > 0) return [messageItem(toolResultText(turn))];
  if (directives.refuse) return [message({ type: "refusal", refusal: "I can't help with that." })];
  if (wantsHosted(request, "web_search", directives.search !== undefined))
    return searchItems(request, directives.search ?? turn.userText);
  if (wantsHosted(request, "image_generation", directives.image))
    return [imageItem(), messageItem("Here is the image.")];
  return [messageItem(formattedText(request) ?? plainText(turn))];
}

function toolCalls(request: Accepted, turn: Turn): JsonObject[] {
  const known = turn.directives.tools.filter((wanted) => findTool(request, wanted.name) !== undefined);
  const remaining = known.slice(turn.callsMade);
  const parallel = !request.lite && request.body.parallel_tool_calls !== false;
  const wanted = parallel ? remaining : remaining.slice(0, 1);
  const calls = wanted.map(({ name, args, rawArgs }) => callItem(findTool(request, name) ?? {}, args, rawArgs));
  if (calls.length > 0) return calls;
  const forced = forcedTool(request);
  return forced === undefined ? [] : [callItem(forced, undefined, undefined)];
}

function findTool(request: Accepted, name: string): JsonObject | undefined {
  return request.tools.find((tool) => (tool.type === "function" || tool.type === "custom") && tool.name === name);
}

function forcedTool(request: Accepted): JsonObject | undefined {
  const choice = request.body.tool_choice;
  if (isObject(choice) && typeof choice.name === "string") return findTool(request, choice.name);
  const required = choice === "required" || (isObject(choice) && choice.mode === "required");
  if (!required) return undefined;
  const allowed = isObject(choice)
    ? asArray(choice.tools)
        .filter(isObject)
        .map((tool) => tool.name)
    : undefined;
  return request.tools.find(
    (tool) =>
      (tool.type === "function" || tool.type === "custom") && (allowed === undefined || allowed.includes(tool.name)),
  );
}

function callItem(tool: JsonObject, args: JsonObject | undefined, raw: string | undefined): JsonObject {
  const call_id = newId("call").slice(0, 29);
  const name = asString(tool.name);
  if (tool.type === "custom")
    return {
      id: newId("ctc"),
      type: "custom_tool_call",
      status: "completed",
      call_id,
      name,
      input: raw ?? "sample input",
    };
  const value = args ?? sampleOf(tool.parameters) ?? {};
  return {
    id: newId("fc"),
    type: "function_call",
    status: "completed",
    arguments: JSON.stringify(value),
    call_id,
    name,
  };
}

function wantsHosted(request: Accepted, type: string, asked: boolean): boolean {
  const choice = request.body.tool_choice;
  const offered = request.tools.some((tool) => tool.type === type);
  return offered && choice !== "none" && (asked || (isObject(choice) && choice.type === type));
}

function searchItems(request: Accepted, query: string): JsonObject[] {
  const url = `https://example.com/search?q=${encodeURIComponent(query)}`;
  const sources = asArray(request.body.include).includes("web_search_call.action.sources");
  const action = {
    type: "search",
    query,
    queries: [query],
    ...(sources
      ? {
          sources: [
            { type: "url", url },
            { type: "url", url: "https://example.org/" },
          ],
        }
      : {}),
  };
  const claim = `Results for ${query}`;
  const text = `${claim} (example.com).`;
  const citation = { type: "url_citation", start_index: 0, end_index: claim.length, url, title: `About ${query}` };
  return [{ id: newId("ws"), type: "web_search_call", status: "completed", action }, messageItem(text, [citation])];
}

function imageItem(): JsonObject {
  return {
    id: newId("ig"),
    type: "image_generation_call",
    status: "completed",
    background: "opaque",
    output_format: "png",
    quality: "medium",
    size: "1024x1024",
    revised_prompt: "a single pixel",
    result: PIXEL,
  };
}

function toolResultText(turn: Turn): string {
  return [...turn.toolOutputs.map((output) => `TOOL-RESULT: ${output}`), ...turn.attachments].join("\n");
}

function formattedText(request: Accepted): string | undefined {
  const format = isObject(request.body.text) ? request.body.text.format : undefined;
  if (!isObject(format) || format.type === "text") return undefined;
  return format.type === "json_object" ? '{"ok":true}' : JSON.stringify(sampleOf(format.schema));
}

function plainText(turn: Turn): string {
  const { long, say } = turn.directives;
  if (say !== undefined) return say;
  if (long !== undefined) return Array.from({ length: long }, (_, index) => `w${index} `).join("");
  const quoted = turn.userText.length > 400 ? `…${turn.userText.slice(-400)}` : turn.userText;
  return [`You said: ${quoted} 👋🌍 — done.`, ...turn.attachments].join("\n");
}
