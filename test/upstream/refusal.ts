/**
 * A refusal as upstream words it. The seat mixes two body shapes: `{"detail": "..."}` from its own gateway and
 * `{"error": {message, type, param, code}}` from the model API behind it.
 */
export class Refusal extends Error {
  readonly status: number;
  readonly body: object;
  readonly headers: Record<string, string>;

  constructor(status: number, body: object, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.name = "Refusal";
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** `{"detail": message}`. */
export function detail(message: string, status = 400): Refusal {
  return new Refusal(status, { detail: message }, message);
}

/** `{"error": {message, type: "invalid_request_error", param, code}}`. */
export function invalid(message: string, param: string | null, code: string | null, status = 400): Refusal {
  return new Refusal(status, { error: { message, type: "invalid_request_error", param, code } }, message);
}

/** A field that the API does not know at this place. */
export function unknownParameter(path: string): Refusal {
  return invalid(`Unknown parameter: '${path}'.`, path, "unknown_parameter");
}

/** A required field that is absent. */
export function missingParameter(path: string): Refusal {
  return invalid(`Missing required parameter: '${path}'.`, path, "missing_required_parameter");
}

/** A field of the wrong JSON type. */
export function invalidType(path: string, expected: string, value: unknown): Refusal {
  const message = `Invalid type for '${path}': expected ${expected}, but got ${describe(value)} instead.`;
  return invalid(message, path, "invalid_type");
}

/** A value outside a closed list. */
export function invalidValue(path: string, value: unknown, supported: readonly string[]): Refusal {
  const list = supported.map((entry) => `'${entry}'`).join(", ");
  return invalid(`Invalid value: '${String(value)}'. Supported values are: ${list}.`, path, "invalid_value");
}

/** A value that the API knows, though not for this model or lane. */
export function unsupportedValue(message: string, param: string): Refusal {
  return invalid(message, param, "unsupported_value");
}

/** A string over its length limit. */
export function tooLong(path: string, limit: number, value: string): Refusal {
  const message =
    `Invalid '${path}': string too long. Expected a string with maximum length ${limit}, ` +
    `but got a string with length ${value.length} instead.`;
  return invalid(message, path, "string_above_max_length");
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  if (typeof value === "string") return "a string";
  if (typeof value === "boolean") return "a boolean";
  return Number.isInteger(value) ? "an integer" : "a decimal";
}
