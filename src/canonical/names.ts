import { isObject, type JsonObject } from "../json.ts";
import { makeEvent, type OutputItem, type UpstreamEvent } from "./event.ts";
import { hash128 } from "./hash.ts";
import type { InputItem, ResponsesBody, Tool } from "./request.ts";

/** Upstream refuses longer tool names (`string_above_max_length`) and other characters. */
const LEGAL = /^[a-zA-Z0-9_-]{1,64}$/;

/** A body whose tool names upstream accepts, and the way back. */
export interface LegalNames {
  readonly body: ResponsesBody;
  /** Sent name → client's name; undefined when nothing was changed. */
  readonly restore: ReadonlyMap<string, string> | undefined;
}

/**
 * Maps tool names that upstream refuses to a legal start of the name plus a hash, in the definitions, the choice and the
 * calls of the history. Equal names map to equal names, so prompts stay cacheable. The same object when all are legal.
 */
export function legaliseNames(body: ResponsesBody): LegalNames {
  const restore = new Map<string, string>();
  const legal = (name: string): string => {
    if (LEGAL.test(name)) return name;
    const short = `${name.replace(/[^a-zA-Z0-9_-]/g, "_").slice(0, 48)}_${hash128(name).slice(0, 12)}`;
    restore.set(short, name);
    return short;
  };
  const tools = mapSame(body.tools, (tool) => legalTool(tool, legal));
  const input = mapSame(body.input, (item) => legalItem(item, legal));
  const choice = legalChoice(body.tool_choice, legal);
  if (restore.size === 0) return { body, restore: undefined };
  const changed: ResponsesBody = { ...body, input: input ?? body.input };
  if (tools) changed.tools = tools;
  if (body.tool_choice !== undefined) changed.tool_choice = choice;
  return { body: changed, restore };
}

/** An event with the client's tool names; the same object when it names none that was mapped. */
export function restoreNames(event: UpstreamEvent, names: ReadonlyMap<string, string>): UpstreamEvent {
  switch (event.type) {
    case "response.output_item.added":
    case "response.output_item.done": {
      const value = event.value as { item?: OutputItem };
      const item = value.item && restoreItem(value.item, names);
      return item === value.item ? event : makeEvent({ ...event.value, item } as UpstreamEvent["value"]);
    }
    case "response.function_call_arguments.done": {
      const name = (event.value as { name?: unknown }).name;
      const known = typeof name === "string" ? names.get(name) : undefined;
      return known === undefined ? event : makeEvent({ ...event.value, ...{ name: known } });
    }
    case "response.completed":
    case "response.incomplete":
    case "response.failed": {
      const value = event.value as { response?: { output?: OutputItem[] } };
      const output = mapSame(value.response?.output, (item) => restoreItem(item, names));
      if (!output || output === value.response?.output) return event;
      return makeEvent({ ...event.value, response: { ...value.response, output } } as UpstreamEvent["value"]);
    }
    default:
      return event;
  }
}

function restoreItem(item: OutputItem, names: ReadonlyMap<string, string>): OutputItem {
  if (item.type !== "function_call" && item.type !== "custom_tool_call") return item;
  const name = names.get(item.name);
  return name === undefined ? item : { ...item, name };
}

function legalTool(tool: Tool, legal: (name: string) => string): Tool {
  if (tool.type === "namespace") {
    const inner = (tool as JsonObject).tools;
    if (!Array.isArray(inner)) return tool;
    const tools = mapSame(inner as Tool[], (each) => legalTool(each, legal));
    return tools === inner ? tool : { ...tool, tools };
  }
  if (tool.type !== "function" && tool.type !== "custom") return tool;
  return rename(tool, legal);
}

function legalItem(item: InputItem, legal: (name: string) => string): InputItem {
  if (item.type !== "function_call" && item.type !== "custom_tool_call") return item;
  return rename(item, legal);
}

function legalChoice(choice: unknown, legal: (name: string) => string): unknown {
  if (!isObject(choice)) return choice;
  if (Array.isArray(choice.tools)) return { ...choice, tools: choice.tools.map((each) => legalChoice(each, legal)) };
  return choice.type === "function" || choice.type === "custom" ? rename(choice, legal) : choice;
}

function rename<T extends object>(value: T, legal: (name: string) => string): T {
  const name = (value as JsonObject).name;
  if (typeof name !== "string") return value;
  const known = legal(name);
  return known === name ? value : { ...value, name: known };
}

/** Array.map that gives the same array when no element changes. */
function mapSame<T>(list: T[] | undefined, change: (each: T) => T): T[] | undefined {
  if (!list) return list;
  let copy: T[] | undefined;
  for (let at = 0; at < list.length; at++) {
    const before = list[at] as T;
    const after = change(before);
    if (after === before) continue;
    copy ??= list.slice();
    copy[at] = after;
  }
  return copy ?? list;
}
