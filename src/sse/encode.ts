/** SSE text of one message without an event name, as OpenAI's chat stream uses it. */
export function encodeData(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

/** SSE text of one named message. JSON text has no raw line breaks, so one `data` line always does. */
export function encodeEvent(name: string, value: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(value)}\n\n`;
}

/** A comment line: keeps the connection alive, invisible to every SSE client. */
export const KEEP_ALIVE_COMMENT = ": keep-alive\n\n";
