import { asArray, isObject, type JsonObject } from "./json.ts";

// Keywords that Structured Outputs refuses; formats, ranges and patterns are allowed since 2025.
const REFUSED_WHEN_STRICT = [
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
const TYPES = new Set(["object", "array", "string", "number", "integer", "boolean", "null"]);

/**
 * First fault of a JSON schema as upstream words it, e.g. `In context=('properties', 'a'), array schema missing
 * items.`; undefined when there is none. With `strict` the Structured Outputs rules apply too.
 */
export function findSchemaFault(schema: JsonObject, strict: boolean): string | undefined {
  return visit(schema, strict, []);
}

function visit(schema: unknown, strict: boolean, path: string[]): string | undefined {
  if (typeof schema === "boolean") return strict ? fault(path, "schema must have a 'type' key.") : undefined;
  if (!isObject(schema)) return fault(path, `${JSON.stringify(schema)} is not of type 'object', 'boolean'.`);
  const types = Array.isArray(schema.type) ? schema.type : schema.type === undefined ? [] : [schema.type];
  const unknownType = types.find((type) => typeof type !== "string" || !TYPES.has(type));
  if (unknownType !== undefined)
    return fault(path, `${JSON.stringify(unknownType)} is not valid under any of the given schemas.`);
  return (
    (strict ? strictFault(schema, types, path) : undefined) ??
    shapeFault(schema, types, path) ??
    visitChildren(schema, strict, path)
  );
}

function shapeFault(schema: JsonObject, types: unknown[], path: string[]): string | undefined {
  if (types.includes("array") && schema.items === undefined && schema.prefixItems === undefined)
    return fault(path, "array schema missing items.");
  if (schema.properties !== undefined && !isObject(schema.properties))
    return fault(path, "'properties' is not of type 'object'.");
  if (schema.required !== undefined && !Array.isArray(schema.required))
    return fault(path, "'required' is not of type 'array'.");
  if (schema.enum !== undefined && asArray(schema.enum).length === 0) return fault(path, "[] should be non-empty.");
  return undefined;
}

function strictFault(schema: JsonObject, types: unknown[], path: string[]): string | undefined {
  const refused = REFUSED_WHEN_STRICT.find((keyword) => keyword in schema);
  if (refused !== undefined) return fault(path, `'${refused}' is not permitted.`);
  const described = types.length > 0 || "anyOf" in schema || "$ref" in schema || "enum" in schema || "const" in schema;
  if (!described) return fault(path, "schema must have a 'type' key.");
  if (!types.includes("object")) return undefined;
  if (schema.additionalProperties !== false)
    return fault(path, "'additionalProperties' is required to be supplied and to be false.");
  const names = Object.keys(isObject(schema.properties) ? schema.properties : {});
  const required = asArray(schema.required);
  const missing = names.find((name) => !required.includes(name));
  const rule = "'required' is required to be supplied and to be an array including every key in properties.";
  if (missing !== undefined) return fault(path, `${rule} Missing '${missing}'.`);
  const extra = required.find((name) => !names.includes(String(name)));
  return extra === undefined ? undefined : fault(path, `${rule} Extra required key '${String(extra)}' supplied.`);
}

function visitChildren(schema: JsonObject, strict: boolean, path: string[]): string | undefined {
  for (const group of ["properties", "$defs", "definitions"]) {
    for (const [name, child] of Object.entries(isObject(schema[group]) ? schema[group] : {})) {
      const found = visit(child, strict, [...path, group, name]);
      if (found !== undefined) return found;
    }
  }
  for (const group of ["anyOf", "oneOf", "allOf"]) {
    for (const [index, child] of asArray(schema[group]).entries()) {
      const found = visit(child, strict, [...path, group, String(index)]);
      if (found !== undefined) return found;
    }
  }
  return isObject(schema.items) ? visit(schema.items, strict, [...path, "items"]) : undefined;
}

function fault(path: string[], text: string): string {
  const context = path.map((part) => `'${part}'`).join(", ");
  return `In context=(${context}${path.length === 1 ? "," : ""}), ${text}`;
}
