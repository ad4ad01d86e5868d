import { asArray, asString, isObject, type JsonObject } from "./json.ts";

/**
 * A small value that satisfies a JSON schema: the first enum entry, every required property, the shortest list.
 * Optional properties are left out. References are followed to a depth that ends recursion.
 */
export function sampleOf(schema: unknown, root: unknown = schema, depth = 0): unknown {
  if (!isObject(schema) || depth > 12) return null;
  if (typeof schema.$ref === "string") return sampleOf(follow(schema.$ref, root), root, depth + 1);
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  const options = asArray(schema.anyOf ?? schema.oneOf);
  if (options.length > 0) return sampleOf(options.find((option) => !isNull(option)) ?? options[0], root, depth + 1);
  if (Array.isArray(schema.allOf))
    return Object.assign({}, ...schema.allOf.map((part) => sampleOf(part, root, depth + 1)));
  return sampleOfType(schema, root, depth);
}

function sampleOfType(schema: JsonObject, root: unknown, depth: number): unknown {
  const types = asArray(Array.isArray(schema.type) ? schema.type : [schema.type]);
  switch (types.find((type) => type !== "null") ?? types[0]) {
    case "string":
      return sampleString(schema);
    case "integer":
      return Math.ceil(sampleNumber(schema));
    case "number":
      return sampleNumber(schema);
    case "boolean":
      return true;
    case "array":
      return Array.from({ length: Math.max(Number(schema.minItems ?? 1), 0) }, () =>
        sampleOf(schema.items, root, depth + 1),
      );
    case "null":
      return null;
    default:
      return sampleObject(schema, root, depth);
  }
}

function sampleObject(schema: JsonObject, root: unknown, depth: number): JsonObject {
  const properties = isObject(schema.properties) ? schema.properties : {};
  return Object.fromEntries(
    asArray(schema.required).map((name) => [String(name), sampleOf(properties[String(name)], root, depth + 1)]),
  );
}

function sampleString(schema: JsonObject): string {
  const byFormat: Record<string, string> = {
    date: "2026-01-02",
    "date-time": "2026-01-02T03:04:05Z",
    email: "user@example.com",
    uri: "https://example.com/",
    uuid: "00000000-0000-4000-8000-000000000001",
  };
  const text = byFormat[asString(schema.format)] ?? "sample";
  const padded = text.padEnd(Number(schema.minLength ?? 0), "x");
  return padded.slice(0, Number(schema.maxLength ?? padded.length));
}

function sampleNumber(schema: JsonObject): number {
  if (typeof schema.minimum === "number") return schema.minimum;
  if (typeof schema.exclusiveMinimum === "number") return schema.exclusiveMinimum + 1;
  return typeof schema.maximum === "number" ? Math.min(schema.maximum, 1) : 1;
}

function isNull(schema: unknown): boolean {
  return isObject(schema) && schema.type === "null";
}

function follow(ref: string, root: unknown): unknown {
  let node: unknown = root;
  for (const part of ref.replace(/^#\/?/, "").split("/").filter(Boolean))
    node = isObject(node) ? node[part] : undefined;
  return node;
}
