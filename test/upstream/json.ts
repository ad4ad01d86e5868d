/** A JSON object as it came over the wire. */
export type JsonObject = { [key: string]: unknown };

/** True for a plain JSON object: neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value when it is an array, else an empty one. */
export function asArray(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value when it is a string, else an empty one. */
export function asString(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A table's own entry for a key that came over the wire, such as "constructor". */
export function lookup<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
