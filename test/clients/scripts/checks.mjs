// Runs named checks one after another and prints one JSON line for each.
export async function checks(all) {
  for (const [name, run] of Object.entries(all)) {
    try {
      await run();
      console.log(JSON.stringify({ name }));
    } catch (error) {
      console.log(JSON.stringify({ name, error: String(error?.stack ?? error).slice(0, 1500) }));
    }
  }
  process.exit(0);
}

export function equal(actual, expected, what = "value") {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: got ${a}, expected ${b}`);
}

export function includes(text, part) {
  if (typeof text !== "string" || !text.includes(part))
    throw new Error(`${JSON.stringify(text)} does not contain ${JSON.stringify(part)}`);
}

export function ok(value, what) {
  if (!value) throw new Error(what);
}

export const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
