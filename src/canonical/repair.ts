import { isObject, type JsonObject } from "../json.ts";
import { hash128 } from "./hash.ts";
import type { ContentPart, InputItem } from "./request.ts";

/** The output type that answers each kind of call. */
const OUTPUT_OF: Readonly<Record<string, string>> = {
  function_call: "function_call_output",
  custom_tool_call: "custom_tool_call_output",
};
const OUTPUTS = new Set(Object.values(OUTPUT_OF));
const LONGEST_ID = 64;
const NO_OUTPUT = "[no output: the call was not run, or its result was lost]";

/**
 * Makes calls and outputs pair up as upstream demands ("No tool output found for function call …", "No tool call found
 * for function call output …"): ids over 64 characters become a hash on both sides, an output moves behind its call, a
 * call without an output gets one that says so, an output without a call becomes a user message, so that nothing of
 * its content is lost. A history with nothing to mend comes back as the same array.
 */
export function repairInput(input: InputItem[]): InputItem[] {
  return isSound(input) ? input : rebuild(input);
}

/** An id that upstream accepts; equal ids give equal ids. */
function fitCallId(id: string): string {
  return id.length <= LONGEST_ID ? id : `call_${hash128(id)}`;
}

function isSound(input: readonly InputItem[]): boolean {
  const open = new Map<string, string>();
  const seen = new Set<string>();
  for (const item of input) {
    const id = (item as JsonObject).call_id;
    const answeredBy = OUTPUT_OF[item.type];
    if (answeredBy !== undefined) {
      if (typeof id !== "string" || id === "" || id.length > LONGEST_ID || seen.has(id)) return false;
      seen.add(id);
      open.set(id, answeredBy);
    } else if (OUTPUTS.has(item.type)) {
      if (typeof id !== "string" || open.get(id) !== item.type) return false;
      open.delete(id);
    } else if (typeof id === "string" && id.length > LONGEST_ID) return false;
  }
  return open.size === 0;
}

interface Call {
  readonly item: JsonObject;
  readonly at: number;
  readonly id: string;
  /** Place of its output in the input. */
  output: number | undefined;
}

interface Pairing {
  readonly calls: ReadonlyMap<number, Call>;
  /** Place of an output → its call. */
  readonly outputs: ReadonlyMap<number, Call>;
  /** Places of repeated calls and outputs, which are left out. */
  readonly repeated: ReadonlySet<number>;
}

function rebuild(input: readonly InputItem[]): InputItem[] {
  const { calls, outputs, repeated } = pair(input);
  const result: InputItem[] = [];
  input.forEach((item, at) => {
    if (repeated.has(at)) return;
    const call = calls.get(at);
    if (call) {
      result.push(withId(item, call.id));
      if (call.output === undefined) result.push(outputFor(call, undefined));
      else if (call.output < at) result.push(outputFor(call, input[call.output]));
      return;
    }
    const answered = outputs.get(at);
    if (answered) {
      if (answered.at < at) result.push(outputFor(answered, item));
    } else if (OUTPUTS.has(item.type)) result.push(asMessage(item as JsonObject));
    else result.push(fitOther(item));
  });
  return result;
}

/** Finds each call's output: the first one after it with its id, else one that stands before it. */
function pair(input: readonly InputItem[]): Pairing {
  const calls = new Map<number, Call>();
  const outputs = new Map<number, Call>();
  const repeated = new Set<number>();
  const byId = new Map<string, Call[]>();
  const loose: number[] = [];
  input.forEach((item, at) => {
    const id = idOf(item);
    if (OUTPUT_OF[item.type] !== undefined) {
      const known = byId.get(id) ?? [];
      if (id !== "" && known.some((call) => call.output === undefined && isSame(call.item, item))) {
        repeated.add(at);
        return;
      }
      // A second call of the same id is another call: some clients number their calls anew in each turn.
      const own = id !== "" && known.length === 0 ? fitCallId(id) : `call_${hash128(`${id}#${known.length}@${at}`)}`;
      const call: Call = { item: item as JsonObject, at, id: own, output: undefined };
      calls.set(at, call);
      byId.set(id, [...known, call]);
    } else if (OUTPUTS.has(item.type)) {
      const call = byId.get(id)?.find((each) => each.output === undefined);
      if (call) {
        call.output = at;
        outputs.set(at, call);
      } else loose.push(at);
    }
  });
  for (const at of loose) {
    const item = input[at] as JsonObject;
    const known = byId.get(idOf(item)) ?? [];
    const call = known.find((each) => each.output === undefined);
    if (call) {
      call.output = at;
      outputs.set(at, call);
    } else if (known.some((each) => each.output !== undefined && isSame(input[each.output], item))) repeated.add(at);
  }
  return { calls, outputs, repeated };
}

function idOf(item: object): string {
  const id = (item as JsonObject).call_id;
  return typeof id === "string" ? id : "";
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function withId(item: InputItem, id: string): InputItem {
  return (item as JsonObject).call_id === id ? item : ({ ...item, call_id: id } as InputItem);
}

function outputFor(call: Call, found: InputItem | undefined): InputItem {
  const type = OUTPUT_OF[call.item.type as string] as "function_call_output";
  if (!found) return { type, call_id: call.id, output: NO_OUTPUT };
  return found.type === type ? withId(found, call.id) : ({ ...found, type, call_id: call.id } as InputItem);
}

function asMessage(item: JsonObject): InputItem {
  const output = item.output;
  const head = "Output of an earlier tool call:";
  const content: ContentPart[] = Array.isArray(output)
    ? [
        { type: "input_text", text: head },
        ...output.filter((part) => isObject(part)).map((part) => part as ContentPart),
      ]
    : [
        {
          type: "input_text",
          text: `${head}\n${typeof output === "string" ? output : JSON.stringify(output ?? null)}`,
        },
      ];
  return { type: "message", role: "user", content };
}

/** Calls and outputs of other kinds (shell, computer, tool search) only have their ids shortened. */
function fitOther(item: InputItem): InputItem {
  const id = idOf(item);
  return id.length > LONGEST_ID ? withId(item, fitCallId(id)) : item;
}
