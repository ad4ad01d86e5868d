import { isObject, type JsonObject } from "../../json.ts";

/**
 * A tool's `input_schema` in a shape that upstream takes: the root is an object with `properties` and without
 * `anyOf`, `oneOf`, `allOf`, `not`, `enum` or `$ref`; within it only what upstream refuses is mended.
 */
export function toParameters(schema: unknown): JsonObject {
  const root = plainRoot(isObject(schema) ? schema : {}, isObject(schema) ? schema : {}, 0);
  const { properties, required, ...rest } = root;
  const clean: JsonObject = { ...rest, type: "object", properties: isObject(properties) ? properties : {} };
  if (Array.isArray(required)) clean.required = required;
  return tidySchema(clean);
}

/**
 * True when upstream's strict mode takes the schema: every object is closed and all its properties are required
 * (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas).
 */
export function fitsStrict(schema: unknown): boolean {
  return isObject(schema) && schema.type === "object" && !schema.anyOf && strictNode(schema);
}

const NOT_STRICT = [
  "allOf",
  "oneOf",
  "not",
  "if",
  "then",
  "else",
  "patternProperties",
  "dependentRequired",
  "dependentSchemas",
];

function strictNode(node: unknown): boolean {
  if (!isObject(node)) return false;
  if (NOT_STRICT.some((key) => key in node)) return false;
  const properties = isObject(node.properties) ? node.properties : {};
  if (types(node).includes("object") && !isClosed(node, Object.keys(properties))) return false;
  const nested: unknown[] = Object.values(properties);
  if (types(node).includes("array") || "items" in node) nested.push(node.items);
  if (Array.isArray(node.anyOf)) nested.push(...node.anyOf);
  for (const key of ["$defs", "definitions"]) if (isObject(node[key])) nested.push(...Object.values(node[key]));
  const says = "type" in node || "anyOf" in node || "$ref" in node || "enum" in node || "const" in node;
  return says && nested.every(strictNode);
}

function isClosed(node: JsonObject, names: string[]): boolean {
  const required = Array.isArray(node.required) ? node.required : [];
  const same = names.every((name) => required.includes(name)) && required.every((name) => names.includes(String(name)));
  return same && node.additionalProperties === false;
}

/** References inside one schema are followed this deep; a longer chain is a loop. */
const MAX_DEPTH = 8;

/** Folds the root's `$ref` and combinations into one object. */
function plainRoot(node: JsonObject, root: JsonObject, depth: number): JsonObject {
  const { $ref, anyOf, oneOf, allOf, not: _not, enum: _enum, ...own } = node;
  if (depth > MAX_DEPTH) return own;
  let merged: JsonObject = own;
  const target = typeof $ref === "string" ? resolve($ref, root) : undefined;
  const resolved = (one: unknown) => (isObject(one) ? plainRoot(one, root, depth + 1) : {});
  if (target) merged = merge(merged, [resolved(target)], "all");
  if (Array.isArray(allOf)) merged = merge(merged, allOf.map(resolved), "all");
  for (const options of [anyOf, oneOf]) {
    if (Array.isArray(options)) merged = merge(merged, options.map(resolved), "any");
  }
  return merged;
}

/** Properties of all; required is what every one demands (`all`), or what each alternative demands (`any`). */
function merge(base: JsonObject, others: JsonObject[], mode: "all" | "any"): JsonObject {
  const properties: JsonObject = { ...(isObject(base.properties) ? base.properties : {}) };
  for (const one of others) {
    for (const [name, value] of Object.entries(isObject(one.properties) ? one.properties : {}))
      properties[name] ??= value;
  }
  const demands = others.map((one) => (Array.isArray(one.required) ? one.required : []));
  const shared =
    mode === "all" ? demands.flat() : (demands[0] ?? []).filter((name) => demands.every((d) => d.includes(name)));
  const required = [...new Set([...(Array.isArray(base.required) ? base.required : []), ...shared])];
  const [first] = others;
  const result: JsonObject = { ...(others.length === 1 ? first : {}), ...base, properties };
  if (required.length > 0) result.required = required;
  // A closed alternative would forbid what another one has.
  if (others.length > 1 && mode === "all") delete result.additionalProperties;
  return result;
}

function resolve(reference: string, root: JsonObject): JsonObject | undefined {
  if (!reference.startsWith("#/")) return undefined;
  let at: unknown = root;
  for (const step of reference.slice(2).split("/")) {
    at = isObject(at) ? at[step.replaceAll("~1", "/").replaceAll("~0", "~")] : undefined;
  }
  return isObject(at) ? at : undefined;
}

const MAPS = new Set(["properties", "$defs", "definitions", "patternProperties"]);
const LISTS = new Set(["anyOf", "oneOf", "allOf", "prefixItems"]);
const NODES = new Set(["items", "additionalProperties", "not", "contains"]);
const TYPES = new Set<unknown>(["object", "array", "string", "number", "integer", "boolean", "null"]);

/**
 * A schema without what upstream refuses anywhere in it: an array that does not say what its items are, keywords of the
 * wrong type, type names of other dialects.
 */
export function tidySchema(schema: JsonObject): JsonObject {
  const copy: JsonObject = {};
  for (const [key, value] of Object.entries(schema)) {
    if (MAPS.has(key)) {
      if (isObject(value)) copy[key] = mapValues(value, tidyNode);
    } else if (LISTS.has(key)) {
      if (Array.isArray(value)) copy[key] = value.map(tidyNode);
    } else if (key === "items" && Array.isArray(value)) {
      // The tuple form of older drafts.
      copy.prefixItems = value.map(tidyNode);
    } else if (key === "type") {
      const known = types(schema).filter((type) => TYPES.has(type));
      if (known.length > 0) copy.type = Array.isArray(value) ? known : known[0];
    } else if (key === "required" || key === "enum") {
      if (Array.isArray(value) && (key === "required" || value.length > 0)) copy[key] = value;
    } else copy[key] = NODES.has(key) ? tidyNode(value) : value;
  }
  if (types(copy).includes("array")) copy.items ??= {};
  return copy;
}

function tidyNode(node: unknown): unknown {
  return isObject(node) ? tidySchema(node) : node;
}

function mapValues(map: JsonObject, change: (value: unknown) => unknown): JsonObject {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, change(value)]));
}

function types(node: JsonObject): unknown[] {
  return Array.isArray(node.type) ? node.type : [node.type];
}
