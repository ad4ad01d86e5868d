/** Something of the client's request that upstream was not sent. */
export interface DroppedField {
  /** The client's own name of it. */
  readonly name: string;
  /** True when the proxy does by itself what the field asks for. */
  readonly honoured: boolean;
}

/** Names come from the client's JSON and go into a response header, so they are kept short and in its alphabet. */
const UNSAFE = /[^\w.[\]$@:/-]/g;
const LONGEST_NAME = 80;
const MOST_FIELDS = 50;

/** Gathers what a request loses on its way. */
export interface LossReport {
  /** @param field Name in Responses terms, e.g. `max_output_tokens` or `reasoning.context`. */
  drop(field: string, honoured?: boolean): void;
  readonly fields: readonly DroppedField[];
}

/**
 * @param clientNames Responses field → the client's own name.
 * @param known Names the dialect has already left out.
 */
export function createLossReport(
  clientNames: Readonly<Record<string, string>>,
  known: readonly string[] = [],
): LossReport {
  const fields: DroppedField[] = [];
  const add = (told: string, honoured: boolean) => {
    const name = told.slice(0, LONGEST_NAME).replace(UNSAFE, "_");
    if (fields.length < MOST_FIELDS && !fields.some((field) => field.name === name)) fields.push({ name, honoured });
  };
  for (const name of known) add(name, false);
  return {
    drop(field, honoured = false) {
      add((Object.hasOwn(clientNames, field) ? clientNames[field] : undefined) ?? field, honoured);
    },
    fields,
  };
}
