import { isObject, type JsonObject } from "../json.ts";

/** Keywords that Structured Outputs refuses (https://platform.openai.com/docs/guides/structured-outputs). */
const NOT_STRICT = [
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
/** Keywords that upstream refuses at the root of a function's parameters. */
const NOT_AT_ROOT = ["oneOf", "anyOf", "allOf", "enum", "not"];
const GROUPS = ["properties", "$defs", "definitions"];
const LISTS = ["anyOf", "oneOf", "allOf"];

/** True when a schema keeps the rules of `strict: true`: closed objects, every property required, known keywords. */
export function isStrictSchema(schema: unknown): boolean {
  if (!isObject(schema)) return false;
  if (NOT_STRICT.some((keyword) => keyword in schema)) return false;
  const types = typesOf(schema);
  if (types.length === 0 && !["anyOf", "$ref", "enum", "const"].some((keyword) => keyword in schema)) return false;
  if (types.includes("object")) {
    if (schema.additionalProperties !== false) return false;
    const names = Object.keys(isObject(schema.properties) ? schema.properties : {});
    const required = new Set(Array.isArray(schema.required) ? schema.required : []);
    if (names.length !== required.size || !names.every((name) => required.has(name))) return false;
  }
  return children(schema).every(isStrictSchema);
}

/**
 * A function's parameters in the form that upstream takes: an object schema with `properties` and without combining
 * keywords at its root, arrays with `items`. The same object when it is so already.
 */
export function objectSchema(parameters: unknown): JsonObject {
  const sound = repairSchema(isObject(parameters) ? parameters : {});
  const combined = NOT_AT_ROOT.some((keyword) => keyword in sound);
  if (sound.type === "object" && isObject(sound.properties) && !combined) return sound;
  const root: JsonObject = { ...sound, type: "object" };
  for (const keyword of NOT_AT_ROOT) delete root[keyword];
  const properties: JsonObject = {};
  for (const keyword of LISTS) {
    const branches: unknown = sound[keyword];
    if (!Array.isArray(branches)) continue;
    for (const branch of branches)
      if (isObject(branch) && isObject(branch.properties)) Object.assign(properties, branch.properties);
  }
  root.properties = isObject(sound.properties) ? { ...properties, ...sound.properties } : properties;
  return root;
}

/** Mends what upstream refuses at any depth also without `strict`; the same object when there is nothing to mend. */
export function repairSchema(schema: JsonObject): JsonObject {
  let result = schema;
  const set = (key: string, value: unknown) => {
    if (result === schema) result = { ...schema };
    if (value === undefined) delete result[key];
    else result[key] = value;
  };
  if (typesOf(schema).includes("array") && schema.items === undefined && schema.prefixItems === undefined)
    set("items", {});
  if (schema.required !== undefined && !Array.isArray(schema.required)) set("required", undefined);
  if (Array.isArray(schema.enum) && schema.enum.length === 0) set("enum", undefined);
  if (schema.properties !== undefined && !isObject(schema.properties)) set("properties", {});
  for (const group of GROUPS) {
    const members = result[group];
    if (!isObject(members)) continue;
    let copy: JsonObject | undefined;
    for (const name of Object.keys(members)) {
      const before = members[name];
      if (!isObject(before)) continue;
      const after = repairSchema(before);
      if (after === before) continue;
      copy ??= { ...members };
      copy[name] = after;
    }
    if (copy) set(group, copy);
  }
  for (const list of LISTS) {
    const branches = result[list];
    if (!Array.isArray(branches)) continue;
    const mended = branches.map((branch) => (isObject(branch) ? repairSchema(branch) : branch));
    if (mended.some((branch, at) => branch !== branches[at])) set(list, mended);
  }
  if (isObject(result.items)) {
    const items = repairSchema(result.items);
    if (items !== result.items) set("items", items);
  }
  return result;
}

function typesOf(schema: JsonObject): unknown[] {
  if (Array.isArray(schema.type)) return schema.type;
  return schema.type === undefined ? [] : [schema.type];
}

function children(schema: JsonObject): unknown[] {
  const found: unknown[] = [];
  for (const group of GROUPS) if (isObject(schema[group])) found.push(...Object.values(schema[group]));
  for (const list of LISTS) if (Array.isArray(schema[list])) found.push(...schema[list]);
  if (isObject(schema.items)) found.push(schema.items);
  return found;
}
