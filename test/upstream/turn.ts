import { type Directives, hasDirective, readDirectives } from "./directives.ts";
import { asArray, asString, isObject, type JsonObject } from "./json.ts";

/** What the model is to answer now, read from the whole input. */
export interface Turn {
  readonly userText: string;
  readonly directives: Directives;
  /** Text of every tool output since the directive, oldest first. */
  readonly toolOutputs: readonly string[];
  /** Calls already made for the directive's tools. */
  readonly callsMade: number;
  /** `IMAGE:<mime>:<bytes>` and `FILE:<name>:<bytes>` of the new user content. */
  readonly attachments: readonly string[];
  readonly compaction: boolean;
}

/** Reads the turn. A program may send its tool results together with more user text: the directive is then further back. */
export function readTurn(input: readonly JsonObject[]): Turn {
  const fresh = input.slice(input.findLastIndex(isFromModel) + 1);
  const asked = fresh.filter(isUser).map(textOf).join("\n");
  const continues = fresh.some(isToolOutput) && !hasDirective(asked);
  const start = continues ? directiveIndex(input) : input.length;
  const since = continues ? input.slice(start + 1) : fresh;
  const directive = continues && start >= 0 ? textOf(input[start] ?? {}) : continues ? "" : asked;
  return {
    userText: asked === "" ? directive : asked,
    directives: readDirectives(directive),
    toolOutputs: since.filter(isToolOutput).map((item) => describeContent(item.output)),
    callsMade: continues ? since.filter(isToolCall).length : 0,
    attachments: fresh.filter(isUser).flatMap((item) => attachmentsOf(item.content)),
    compaction: input.at(-1)?.type === "compaction_trigger",
  };
}

function directiveIndex(input: readonly JsonObject[]): number {
  const lastCall = input.findLastIndex(isToolCall);
  const index = input.findLastIndex((item, at) => at < lastCall && isUser(item) && hasDirective(textOf(item)));
  return index === -1 ? input.findLastIndex((item, at) => at < lastCall && isUser(item)) : index;
}

function isUser(item: JsonObject): boolean {
  return item.role === "user";
}

function isToolCall(item: JsonObject): boolean {
  return item.type === "function_call" || item.type === "custom_tool_call";
}

function isToolOutput(item: JsonObject): boolean {
  return item.type === "function_call_output" || item.type === "custom_tool_call_output";
}

function isFromModel(item: JsonObject): boolean {
  return item.role === "assistant" || item.type === "reasoning" || isToolCall(item);
}

/** All text of a message. */
function textOf(item: JsonObject): string {
  if (typeof item.content === "string") return item.content;
  return asArray(item.content)
    .map((part) => (isObject(part) ? asString(part.text) : ""))
    .filter((text) => text !== "")
    .join("\n");
}

function describeContent(content: unknown): string {
  if (typeof content === "string") return content;
  return asArray(content)
    .map((part) => (isObject(part) && typeof part.text === "string" ? part.text : attachmentsOf([part]).join("")))
    .join("\n");
}

function attachmentsOf(content: unknown): string[] {
  return asArray(content)
    .filter(isObject)
    .flatMap((part) => {
      if (part.type === "input_image") return [`IMAGE:${describeUrl(asString(part.image_url))}`];
      if (part.type !== "input_file") return [];
      const [, bytes] = describeUrl(asString(part.file_data ?? part.file_url)).split(/:(?=\d+$)/);
      return [`FILE:${asString(part.filename)}:${bytes ?? "0"}`];
    });
}

/** `<mime>:<bytes>` of a data URL; the URL itself otherwise. */
function describeUrl(url: string): string {
  const data = /^data:([^;,]+);base64,(.*)$/s.exec(url);
  return data === null ? url : `${data[1]}:${Buffer.from(data[2] ?? "", "base64").length}`;
}
