import { isObject, type JsonObject } from "../json.ts";

/** A value that satisfies a JSON schema, for the demo's structured answers and tool arguments. */
export function sampleOf(schema: unknown, root: JsonObject = isObject(schema) ? schema : {}, depth = 0): unknown {
  if (!isObject(schema) || depth > 12) return {};
  if (typeof schema.$ref === "string") return sampleOf(resolve(schema.$ref, root), root, depth + 1);
  if ("const" in schema) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  for (const key of ["anyOf", "oneOf", "allOf"] as const) {
    const options = schema[key];
    if (Array.isArray(options)) return sampleOf(options[0], root, depth + 1);
  }
  const type = Array.isArray(schema.type) ? schema.type.find((one) => one !== "null") : schema.type;
  switch (type) {
    case "string":
      return stringFor(schema);
    case "integer":
    case "number":
      return typeof schema.minimum === "number" ? schema.minimum : 1;
    case "boolean":
      return true;
    case "null":
      return null;
    case "array":
      return Array.from({ length: Math.max(1, Number(schema.minItems ?? 1)) }, () =>
        sampleOf(schema.items ?? {}, root, depth + 1),
      );
    default:
      return objectFor(schema, root, depth);
  }
}

function objectFor(schema: JsonObject, root: JsonObject, depth: number): JsonObject {
  const properties = isObject(schema.properties) ? schema.properties : {};
  const required = Array.isArray(schema.required) ? schema.required : Object.keys(properties);
  return Object.fromEntries(
    required.map((name) => [String(name), sampleOf(properties[String(name)] ?? {}, root, depth + 1)]),
  );
}

function stringFor(schema: JsonObject): string {
  const samples: Record<string, string> = {
    date: "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    email: "demo@example.com",
    uri: "https://example.com",
  };
  const sample = samples[String(schema.format)] ?? "demo";
  return sample.padEnd(Number(schema.minLength ?? 0), "o").slice(0, Number(schema.maxLength ?? 200));
}

function resolve(ref: string, root: JsonObject): unknown {
  let value: unknown = root;
  for (const key of ref.replace(/^#\/?/, "").split("/").filter(Boolean))
    value = isObject(value) ? value[key] : undefined;
  return value;
}
