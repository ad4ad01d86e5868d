import type { Model } from "./catalogue.ts";
import { asString, isObject, type JsonObject } from "./json.ts";
import {
  invalid,
  invalidType,
  invalidValue,
  missingParameter,
  tooLong,
  unknownParameter,
  unsupportedValue,
} from "./refusal.ts";
import { findSchemaFault } from "./schema-rules.ts";

/** Checks `reasoning` for a model. Throws {@link Refusal} 400. */
export function checkReasoningControls(reasoning: unknown, model: Model): void {
  if (reasoning === undefined || reasoning === null) return;
  if (!isObject(reasoning)) throw invalidType("reasoning", "an object", reasoning);
  for (const field of Object.keys(reasoning))
    if (!["effort", "summary", "context"].includes(field)) throw unknownParameter(`reasoning.${field}`);
  const { effort, summary, context } = reasoning;
  if (effort !== undefined && effort !== null && !model.efforts.includes(String(effort))) {
    const levels = model.efforts.map((level) => `'${level}'`);
    const list = `${levels.slice(0, -1).join(", ")}, and ${levels.at(-1)}`;
    throw unsupportedValue(
      `Unsupported value: '${String(effort)}' is not supported with the '${model.slug}' model. Supported values are: ${list}.`,
      "reasoning.effort",
    );
  }
  oneOf(summary, "reasoning.summary", ["auto", "concise", "detailed"]);
  oneOf(context, "reasoning.context", ["auto", "current_turn", "all_turns"]);
}

/** Checks `text`: verbosity and the output format. */
export function checkTextControls(text: unknown, body: JsonObject): void {
  if (text === undefined || text === null) return;
  if (!isObject(text)) throw invalidType("text", "an object", text);
  for (const field of Object.keys(text))
    if (field !== "verbosity" && field !== "format") throw unknownParameter(`text.${field}`);
  oneOf(text.verbosity, "text.verbosity", ["low", "medium", "high"]);
  if (text.format !== undefined && text.format !== null) checkFormat(text.format, body);
}

function checkFormat(format: unknown, body: JsonObject): void {
  if (!isObject(format)) throw invalidType("text.format", "an object", format);
  if (format.type === "text") return;
  if (format.type === "json_object") {
    if (/json/i.test(JSON.stringify(body.input))) return;
    throw invalid(
      "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
      "input",
      null,
    );
  }
  if (format.type !== "json_schema")
    throw invalidValue("text.format.type", format.type, ["json_object", "json_schema", "text"]);
  for (const field of Object.keys(format)) {
    if (!["type", "name", "description", "schema", "strict"].includes(field))
      throw unknownParameter(`text.format.${field}`);
  }
  if (typeof format.name !== "string") throw missingParameter("text.format.name");
  if (format.name.length > 64) throw tooLong("text.format.name", 64, format.name);
  if (!/^[a-zA-Z0-9_-]+$/.test(format.name))
    throw invalid(
      "Invalid 'text.format.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
      "text.format.name",
      "invalid_value",
    );
  if (!isObject(format.schema)) throw missingParameter("text.format.schema");
  const refuse = (fault: string) =>
    invalid(
      `Invalid schema for response_format '${asString(format.name)}': ${fault}`,
      "text.format.schema",
      "invalid_json_schema",
    );
  const strict = format.strict === true;
  if (strict && format.schema.type !== "object")
    throw refuse(
      `schema must be a JSON Schema of 'type: "object"', got 'type: "${format.schema.type === undefined ? "None" : String(format.schema.type)}"'.`,
    );
  const fault = findSchemaFault(format.schema, strict);
  if (fault !== undefined) throw refuse(fault);
}

/** Checks `prompt_cache_key`: a string of at most 64 characters. */
export function checkCacheKey(key: unknown): void {
  if (key === undefined || key === null) return;
  if (typeof key !== "string") throw invalidType("prompt_cache_key", "a string", key);
  if (key.length > 64) throw tooLong("prompt_cache_key", 64, key);
}

/** Checks that `include` holds only known names. */
export function checkInclude(include: unknown, known: readonly string[]): void {
  if (include === undefined || include === null) return;
  if (!Array.isArray(include)) throw invalidType("include", "an array of strings", include);
  for (const [index, name] of include.entries())
    if (!known.includes(String(name))) throw invalidValue(`include[${index}]`, name, known);
}

/** Checks `client_metadata` or `metadata`: a map of strings to strings. */
export function checkStringMap(value: unknown, path: string): void {
  if (value === undefined || value === null) return;
  if (!isObject(value)) throw invalidType(path, "a map of strings to strings", value);
  for (const [name, entry] of Object.entries(value))
    if (typeof entry !== "string") throw invalidType(`${path}.${name}`, "a string", entry);
}

/** Checks an optional boolean. */
export function checkBoolean(value: unknown, path: string): void {
  if (value !== undefined && value !== null && typeof value !== "boolean") throw invalidType(path, "a boolean", value);
}

function oneOf(value: unknown, path: string, supported: readonly string[]): void {
  if (value === undefined || value === null) return;
  if (!supported.includes(String(value))) throw invalidValue(path, value, supported);
}
