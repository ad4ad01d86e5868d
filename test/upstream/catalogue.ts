import { readFixtureJson } from "./fixtures.ts";
import { asArray, asString, isObject, type JsonObject } from "./json.ts";
import { detail } from "./refusal.ts";

/** ETag of the catalogue, as sent by /models and as `x-models-etag` by /responses. */
export const MODELS_ETAG = 'W/"etag-models-1"';

/** Oldest Codex version that is shown, and may use, a model. */
const MINIMAL_VERSIONS: Readonly<Record<string, string>> = {
  "gpt-6-luna": "0.155.0",
  "gpt-6.1-sol": "0.160.0",
  "gpt-6.1-terra": "0.160.0",
};

/** What the rules need to know of a model. */
export interface Model {
  readonly slug: string;
  readonly lite: boolean;
  /** Levels that the wire accepts: the catalogue's, without the CLI-only `ultra`, plus `none`. */
  readonly efforts: readonly string[];
  readonly defaultEffort: string;
  readonly maxContextWindow: number;
  readonly minimalVersion: string | undefined;
  readonly entry: JsonObject;
}

const MODELS: ReadonlyMap<string, Model> = new Map(readEntries().map((model) => [model.slug, model]));

/** A catalogue model by its slug. */
export function findModel(slug: string): Model | undefined {
  return MODELS.get(slug);
}

/** Body of GET /models for a client version. Throws 400 for a version that is not plain x.y.z. */
export function catalogueFor(clientVersion: string | undefined): object {
  if (clientVersion === undefined) throw detail("client_version is required");
  if (!/^\d+\.\d+\.\d+$/.test(clientVersion)) throw detail(`Invalid client_version: ${clientVersion}`);
  const visible = [...MODELS.values()].filter(
    (model) => model.minimalVersion === undefined || compareVersions(clientVersion, model.minimalVersion) >= 0,
  );
  return { models: visible.map((model) => model.entry) };
}

/** Negative, zero or positive, as a is older than, equal to or newer than b. */
export function compareVersions(a: string, b: string): number {
  const left = a.split(".").map(Number);
  const right = b.split(".").map(Number);
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function readEntries(): Model[] {
  const fixture = readFixtureJson("responses/models-catalog-0.169.0.json");
  return asArray(isObject(fixture) ? fixture.models : undefined)
    .filter(isObject)
    .map(toModel);
}

function toModel(fields: JsonObject): Model {
  const slug = asString(fields.slug);
  const minimalVersion = MINIMAL_VERSIONS[slug];
  const levels = asArray(fields.supported_reasoning_levels).map((level) =>
    isObject(level) ? asString(level.effort) : "",
  );
  return {
    slug,
    lite: fields.use_responses_lite === true,
    efforts: ["none", ...levels.filter((level) => level !== "ultra")],
    defaultEffort: asString(fields.default_reasoning_level),
    maxContextWindow: Number(fields.max_context_window),
    minimalVersion,
    entry: {
      ...fields,
      // The fixture has these shortened to a string, which no Codex reads.
      model_messages: null,
      ...(minimalVersion === undefined ? {} : { minimal_client_version: minimalVersion }),
    },
  };
}
