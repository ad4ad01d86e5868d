const MEGABYTE = 1024 * 1024;

/** SSE text of an answer of so many megabytes, in deltas of 1,000 characters. */
export function largeAnswer(megabytes: number): string {
  const id = "msg_large";
  const place = { item_id: id, output_index: 0, content_index: 0 };
  const delta = "lorem ipsum ".repeat(84).slice(0, 1_000);
  const count = Math.ceil((megabytes * MEGABYTE) / delta.length);
  const response = { id: "resp_large", object: "response", created_at: 0, model: "gpt-5.5", output: [] };
  const item = { id, type: "message", role: "assistant" };
  const content = [{ type: "output_text", text: delta.repeat(count), annotations: [] }];
  const usage = { input_tokens: 10, output_tokens: count, total_tokens: count + 10 };
  const frame = (type: string, fields: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  return [
    frame("response.created", { response: { ...response, status: "in_progress" } }),
    frame("response.output_item.added", { output_index: 0, item: { ...item, status: "in_progress", content: [] } }),
    frame("response.content_part.added", { ...place, part: { type: "output_text", text: "", annotations: [] } }),
    frame("response.output_text.delta", { ...place, delta }).repeat(count),
    frame("response.output_item.done", { output_index: 0, item: { ...item, status: "completed", content } }),
    frame("response.completed", { response: { ...response, status: "completed", usage } }),
  ].join("");
}
