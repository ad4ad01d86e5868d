import { isObject, type JsonObject } from "../../json.ts";

const REFUSED = [
  "oneOf",
  "allOf",
  "not",
  "if",
  "then",
  "else",
  "dependentRequired",
  "dependentSchemas",
  "patternProperties",
];
const NESTED = ["properties", "$defs", "definitions"];

/**
 * True when a JSON schema obeys the rules of Structured Outputs: every object closed, every property required, no
 * keyword that constrained decoding cannot follow
 * (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas).
 */
export function isStrictSchema(schema: unknown): schema is JsonObject {
  if (!isObject(schema) || REFUSED.some((keyword) => keyword in schema)) return false;
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  const described = schema.type !== undefined || ["anyOf", "$ref", "enum", "const"].some((key) => key in schema);
  if (!described) return false;
  if (types.includes("object") && !isClosedObject(schema)) return false;
  if (types.includes("array") && !isObject(schema.items)) return false;
  for (const group of NESTED) {
    const children = schema[group];
    if (isObject(children) && !Object.values(children).every(isStrictSchema)) return false;
  }
  if (Array.isArray(schema.anyOf) && !schema.anyOf.every(isStrictSchema)) return false;
  return schema.items === undefined || isStrictSchema(schema.items);
}

/** The same for a function's parameters, whose root must be a plain object with properties. */
export function isStrictParameters(schema: unknown): boolean {
  return isStrictSchema(schema) && schema.type === "object" && isObject(schema.properties) && !("anyOf" in schema);
}

function isClosedObject(schema: JsonObject): boolean {
  if (schema.additionalProperties !== false) return false;
  const names = Object.keys(isObject(schema.properties) ? schema.properties : {});
  const required = Array.isArray(schema.required) ? schema.required : [];
  return names.length === required.length && names.every((name) => required.includes(name));
}
