const FIELD = '"sequence_number":';
const SPACE = 32;
const ZERO = 48;
const NINE = 57;

/**
 * An event's JSON text with `number` as its `sequence_number`; the same text when it has it already. Works on the text,
 * so that an event which needs nothing else is never parsed. Inside JSON strings every quote is escaped, hence the
 * field's name cannot be found in a text by mistake.
 */
export function numbered(data: string, number: number): string {
  const at = data.indexOf(FIELD);
  if (at < 0) return `{${FIELD}${number},${data.slice(1)}`;
  let start = at + FIELD.length;
  while (data.charCodeAt(start) === SPACE) start++;
  let end = start;
  let value = 0;
  for (let code = data.charCodeAt(end); code >= ZERO && code <= NINE; code = data.charCodeAt(++end)) {
    value = value * 10 + code - ZERO;
  }
  return value === number && end > start ? data : `${data.slice(0, start)}${number}${data.slice(end)}`;
}
