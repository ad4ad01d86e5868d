import { type CanonicalEvent, makeEvent, type OutputItem, type UpstreamEvent } from "../../canonical/event.ts";

/** An item as it stood when it began: without what its own events tell. */
export function openingOf(item: OutputItem): OutputItem {
  switch (item.type) {
    case "message":
      return { ...item, status: "in_progress", content: [] };
    case "function_call":
      return { ...item, status: "in_progress", arguments: "" };
    case "custom_tool_call":
      return { ...item, status: "in_progress", input: "" };
    case "reasoning":
      return { ...item, summary: [] };
    case "web_search_call":
    case "image_generation_call":
      return { ...item, status: "in_progress" };
    default:
      return item;
  }
}

/**
 * The events between an item's beginning and its end, for an item that upstream gave only as a whole: clients that
 * read nothing but deltas would otherwise miss it.
 */
export function unfoldItem(item: OutputItem, output_index: number): UpstreamEvent[] {
  const at = { output_index, ...(item.id ? { item_id: item.id } : {}) };
  return eventsOf(item, at).map((event) => makeEvent(event));
}

function eventsOf(item: OutputItem, at: { output_index: number; item_id?: string }): CanonicalEvent[] {
  switch (item.type) {
    case "message":
      return item.content.flatMap((part, content_index) => partEvents(part, { ...at, content_index }));
    case "reasoning":
      return item.summary.flatMap((part, summary_index) => summaryEvents(part, { ...at, summary_index }));
    case "function_call":
      return [
        ...(item.arguments
          ? [{ type: "response.function_call_arguments.delta" as const, ...at, delta: item.arguments }]
          : []),
        { type: "response.function_call_arguments.done", ...at, arguments: item.arguments },
      ];
    case "custom_tool_call":
      return [
        ...(item.input ? [{ type: "response.custom_tool_call_input.delta" as const, ...at, delta: item.input }] : []),
        { type: "response.custom_tool_call_input.done", ...at, input: item.input },
      ];
    default:
      return [];
  }
}

type PartPlace = { output_index: number; content_index: number; item_id?: string };

function partEvents(part: (OutputItem & { type: "message" })["content"][number], at: PartPlace): CanonicalEvent[] {
  const opened = { type: "response.content_part.added" as const, ...at };
  const closed: CanonicalEvent = { type: "response.content_part.done", ...at, part };
  if (part.type === "refusal") {
    return [
      { ...opened, part: { type: "refusal", refusal: "" } },
      { type: "response.refusal.delta", ...at, delta: part.refusal },
      { type: "response.refusal.done", ...at, refusal: part.refusal },
      closed,
    ];
  }
  const annotations = (part.annotations ?? []).map(
    (annotation, annotation_index): CanonicalEvent => ({
      type: "response.output_text.annotation.added",
      ...at,
      annotation_index,
      annotation,
    }),
  );
  return [
    { ...opened, part: { type: "output_text", text: "", annotations: [], logprobs: [] } },
    { type: "response.output_text.delta", ...at, delta: part.text },
    ...annotations,
    { type: "response.output_text.done", ...at, text: part.text },
    closed,
  ];
}

function summaryEvents(
  part: { type: "summary_text"; text: string },
  at: { output_index: number; summary_index: number; item_id?: string },
): CanonicalEvent[] {
  return [
    { type: "response.reasoning_summary_part.added", ...at, part: { type: "summary_text", text: "" } },
    { type: "response.reasoning_summary_text.delta", ...at, delta: part.text },
    { type: "response.reasoning_summary_text.done", ...at, text: part.text },
    { type: "response.reasoning_summary_part.done", ...at, part },
  ];
}
