import type { ResponsesBody } from "../canonical/request.ts";
import type { RequestDefaults } from "../config/config.ts";
import { isObject, type JsonObject } from "../json.ts";
import type { CatalogueModel } from "./catalogue.ts";
import type { LossReport } from "./dropped.ts";
import { clampEffort, lowestEffort } from "./effort.ts";
import { isStrictSchema, repairSchema } from "./schema.ts";

/** Where the values of a request's controls come from, the strongest first. */
export interface ControlSources {
  readonly body: ResponsesBody;
  /** Effort that the model's name asked for: chosen for this client on purpose, so it beats the body's. */
  readonly nameEffort: string | undefined;
  readonly defaults: RequestDefaults;
  /** The model's catalogue entry, when it has one. */
  readonly entry: CatalogueModel | undefined;
}

/** `reasoning`, without `context`; undefined when nothing is asked for. */
export function reasoningOf({ body, nameEffort, defaults, entry }: ControlSources): JsonObject | undefined {
  const levels = entry?.efforts ?? [];
  const given = body.reasoning ?? {};
  const wanted = nameEffort ?? given.effort ?? defaults.reasoningEffort;
  const reasoning: JsonObject = {};
  if (wanted) reasoning.effort = clampEffort(wanted, levels);
  else if (defaults.fast) reasoning.effort = lowestEffort(levels);
  const summary = given.summary ?? given.generate_summary;
  if (typeof summary === "string" && summary !== "none") reasoning.summary = summary;
  return Object.keys(reasoning).length === 0 ? undefined : reasoning;
}

/** `text`: verbosity and output format; undefined when nothing is asked for. */
export function textOf({ body, defaults, entry }: ControlSources, loss: LossReport): JsonObject | undefined {
  const text: JsonObject = {};
  const asked = body.text?.verbosity;
  const verbosity = asked ?? defaults.verbosity ?? (defaults.fast ? "low" : undefined);
  if (verbosity && entry?.supportsVerbosity === false) {
    if (asked) loss.drop("text.verbosity");
  } else if (verbosity) text.verbosity = verbosity;
  const format = body.text?.format;
  if (isObject(format) && format.type !== "text") text.format = soundFormat(format, loss);
  return Object.keys(text).length === 0 ? undefined : text;
}

/** The tier to send: upstream knows `priority` only; `auto` and `default` ask for nothing. */
export function seatTier({ body, defaults, entry }: ControlSources, loss: LossReport): "priority" | undefined {
  const asked = body.service_tier ?? undefined;
  const wanted = asked ?? defaults.serviceTier ?? (defaults.fast ? "priority" : undefined);
  const known = wanted === "priority" || wanted === "fast";
  if (known && (!entry || entry.serviceTiers.includes("priority"))) return "priority";
  if (asked !== undefined && asked !== "auto" && asked !== "default") loss.drop("service_tier");
  return undefined;
}

/** A schema format whose name and schema upstream accepts; `strict` goes where the schema breaks its rules. */
function soundFormat(format: JsonObject, loss: LossReport): JsonObject {
  if (format.type !== "json_schema") return format;
  const name = typeof format.name === "string" ? format.name : "";
  const sound = /^[a-zA-Z0-9_-]{1,64}$/.test(name) ? name : name.replace(/[^a-zA-Z0-9_-]/g, "_").slice(0, 64);
  const schema = isObject(format.schema) ? repairSchema(format.schema) : format.schema;
  const strict = format.strict === true && isObject(schema) && schema.type === "object" && isStrictSchema(schema);
  if (format.strict === true && !strict) loss.drop("text.format.strict");
  const description = typeof format.description === "string" ? { description: format.description } : {};
  return { type: "json_schema", name: sound === "" ? "response" : sound, ...description, schema, strict };
}
