/** Rough bytes of an object or array beside its contents, and of a number, a boolean or a null. */
const OVERHEAD = 16;

/** About how many bytes a JSON value takes; a walk without building its text. */
export function sizeOf(value: unknown): number {
  if (typeof value === "string") return value.length + OVERHEAD;
  if (typeof value !== "object" || value === null) return OVERHEAD;
  let size = OVERHEAD;
  if (Array.isArray(value)) {
    for (const entry of value) size += sizeOf(entry);
    return size;
  }
  for (const [key, entry] of Object.entries(value)) size += key.length + sizeOf(entry);
  return size;
}
