import { readFileSync } from "node:fs";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";

/** A JSON Schema, as far as it is read here. */
interface Schema {
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema & { enum?: unknown[] }>>;
}

/** OpenAI's OpenAPI document, reduced to the components that its answers are made of; see the README beside it. */
const DOCUMENT = JSON.parse(readFileSync(new URL("../fixtures/openapi/openai.json", import.meta.url), "utf8")) as {
  components: { schemas: Record<string, Schema> };
};
const SCHEMAS = DOCUMENT.components.schemas;
// Later documents, and the SDKs made from them, know custom tool calls in chunks too.
SCHEMAS.ChatCompletionMessageToolCallChunk?.properties?.type?.enum?.push("custom");

const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema(allowNull(DOCUMENT) as object, "openai");
const compiled = new Map<string, ValidateFunction>();

/** A union of many components tells an error for each of them. */
const MOST_ERRORS = 12;

/** What of a value breaks the component of OpenAI's document; empty when it is legal. */
export function violations(component: string, value: unknown): string[] {
  const narrowed = narrow(component, value);
  let validate = compiled.get(narrowed);
  if (!validate) {
    validate = ajv.compile({ $ref: `openai#/components/schemas/${narrowed}` });
    compiled.set(narrowed, validate);
  }
  if (validate(value)) return [];
  return (validate.errors ?? [])
    .slice(0, MOST_ERRORS)
    .map((error) => `${narrowed}${describe(error)} in ${JSON.stringify(value)}`);
}

/**
 * `nullable`, a leftover of OpenAPI 3.0 in a 3.1 document, in the words of JSON Schema: a chunk's `finish_reason` is
 * required and yet null until the end.
 */
function allowNull(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(allowNull);
  if (typeof schema !== "object" || schema === null) return schema;
  const { nullable, ...rest } = Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [name, allowNull(value)]),
  );
  return nullable === true ? { anyOf: [rest, { type: "null" }] } : rest;
}

/** The branch of a union of components that names the value's `type`: it alone can match, and its errors tell more. */
function narrow(component: string, value: unknown): string {
  const type = (value as { type?: unknown } | null)?.type;
  const names = (SCHEMAS[component]?.anyOf ?? SCHEMAS[component]?.oneOf ?? []).map(({ $ref }) => nameOf($ref));
  return names.find((name) => name && SCHEMAS[name]?.properties?.type?.enum?.includes(type)) ?? component;
}

const nameOf = ($ref: string | undefined): string | undefined => $ref?.split("/").at(-1);

function describe({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath} ${message} ${JSON.stringify(params)}`;
}
