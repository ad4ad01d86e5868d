import { type CanonicalEvent, isTerminal, makeEvent, type OutputItem, type UpstreamEvent } from "./event.ts";

type Message = Extract<OutputItem, { type: "message" }>;
type Call = Extract<OutputItem, { type: "function_call" }>;
type Emit = (event: UpstreamEvent) => void;

const DECIDING = new Set([
  "response.content_part.added",
  "response.refusal.delta",
  "response.refusal.done",
  "response.output_item.done",
]);

/** A stage between upstream's events and an encoder. */
export interface ForcedCall {
  push(event: UpstreamEvent, emit: Emit): void;
}

/**
 * Tells an answer in JSON as the call of the one function that the client demanded, where upstream was asked for the
 * function's arguments as structured output. A refusal stays the message that it is, and so does what the model says
 * after it has called the function by itself.
 * @param newId Gives a fresh id of hex digits.
 */
export function createForcedCall(name: string, newId: () => string): ForcedCall {
  /** Messages that have begun and may yet turn out to be a refusal, by `output_index`. */
  const held = new Map<number, UpstreamEvent>();
  const calls = new Map<number, Call>();
  let called = false;

  /** The call in place of a message, announced when the message was. */
  function callAt(index: number, emit: Emit): Call {
    let call = calls.get(index);
    if (!call) {
      const id = newId();
      call = {
        type: "function_call",
        id: `fc_${id}`,
        status: "in_progress",
        arguments: "",
        call_id: `call_${id.slice(0, 24)}`,
        name,
      };
      calls.set(index, call);
    }
    if (held.delete(index)) send({ type: "response.output_item.added", output_index: index, item: call }, emit);
    return call;
  }

  function release(index: number, emit: Emit): void {
    const event = held.get(index);
    if (event && held.delete(index)) emit(event);
  }

  function finished(index: number, message: Message, emit: Emit): Call {
    return { ...callAt(index, emit), status: message.status ?? "completed", arguments: textOf(message) };
  }

  /** The event in its new form; undefined when it is to go on as it is. */
  function translate(value: CanonicalEvent, emit: Emit): CanonicalEvent[] | undefined {
    switch (value.type) {
      case "response.content_part.added":
        if (value.part.type !== "output_text" || !held.has(value.output_index)) return undefined;
        callAt(value.output_index, emit);
        return [];
      case "response.content_part.done":
      case "response.output_text.annotation.added":
        return calls.has(value.output_index) ? [] : undefined;
      case "response.output_text.delta": {
        const { output_index, delta } = value;
        if (!held.has(output_index) && !calls.has(output_index)) return undefined;
        const { id } = callAt(output_index, emit);
        return [{ type: "response.function_call_arguments.delta", output_index, item_id: id as string, delta }];
      }
      case "response.output_text.done": {
        const { output_index, text } = value;
        if (!held.has(output_index) && !calls.has(output_index)) return undefined;
        const { id } = callAt(output_index, emit);
        const done = { output_index, item_id: id as string, name, arguments: text };
        return [{ type: "response.function_call_arguments.done", ...done }];
      }
      case "response.output_item.done":
        if (!isAnswer(value.item) || textOf(value.item) === "") return undefined;
        return [{ ...value, item: finished(value.output_index, value.item, emit) }];
      case "response.completed":
      case "response.incomplete": {
        const { output } = value.response;
        if (!output?.some(isAnswer)) return undefined;
        const told = output.map((item, index) =>
          isAnswer(item) && textOf(item) !== "" ? finished(index, item, emit) : item,
        );
        return [{ ...value, response: { ...value.response, output: told } }];
      }
      default:
        return undefined;
    }
  }

  return {
    push(event, emit) {
      const value = event.value;
      if (called) return emit(event);
      called = calls.size === 0 && "item" in value && value.item.type === "function_call";
      if (called) for (const index of [...held.keys()]) release(index, emit);
      if (value.type === "response.output_item.added" && isAnswer(value.item)) {
        held.set(value.output_index, event);
        return;
      }
      const translated = translate(value, emit);
      if (translated) {
        for (const each of translated) send(each, emit);
        return;
      }
      // What came of the message is no text in the form of arguments; other events decide nothing.
      if (DECIDING.has(value.type) && "output_index" in value) release(value.output_index, emit);
      else if (isTerminal(value.type)) for (const index of [...held.keys()]) release(index, emit);
      emit(event);
    },
  };
}

function send(value: CanonicalEvent, emit: Emit): void {
  emit(makeEvent(value));
}

/** A message of the answer itself, not of what the model says on its way. */
function isAnswer(item: OutputItem): item is Message {
  return item.type === "message" && item.phase !== "commentary";
}

function textOf(message: Message): string {
  return message.content.map((part) => (part.type === "output_text" ? part.text : "")).join("");
}
