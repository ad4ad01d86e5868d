import { readFileSync } from "node:fs";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";

/** A JSON Schema, as far as it is read here. */
interface Schema {
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema & { enum?: readonly unknown[] }>>;
}

/** OpenAI's OpenAPI document, reduced to the components that its answers are made of; see the README beside it. */
const DOCUMENT = JSON.parse(readFileSync(new URL("../fixtures/openapi/openai.json", import.meta.url), "utf8")) as {
  components: { schemas: Record<string, Schema> };
};
const SCHEMAS = DOCUMENT.components.schemas;

// The document's `nullable` is a leftover of OpenAPI 3.0 that 3.1 does not know: where only it would allow null, null is
// refused here, as any validator of 3.1 does.
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
ajv.removeKeyword("nullable");
ajv.addSchema(DOCUMENT, "openai");
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
