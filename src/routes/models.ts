import { jsonAnswer } from "../answer.ts";
import { ProxyError } from "../errors.ts";
import { isObject, type JsonObject } from "../json.ts";
import type { Answer } from "../platform.ts";
import type { Services } from "../services.ts";
import type { CatalogueModel, CodexList } from "../upstream/catalogue.ts";
import { resolveModel } from "../upstream/resolve-model.ts";
import type { Route, RouteRequest } from "./route.ts";

/** Prefix under which Claude Code's model picker shows other models: it leaves out ids that do not start so. */
const PICKER_PREFIX = "claude-";
/** When a model came to be is not told upstream; Anthropic's shape wants a time. */
const EPOCH = "1970-01-01T00:00:00Z";
/** Most tokens of one answer; upstream states none, and refuses a limit. */
const MAX_OUTPUT_TOKENS = 128_000;

/**
 * `GET /v1/models` in OpenAI's shape, or in Anthropic's for a client that speaks it. `?refresh=1` asks upstream anew.
 * Codex states its version, `?client_version=0.169.0`, and gets upstream's own catalogue.
 */
export function modelsRoute(services: Services): Route {
  return {
    method: "GET",
    path: "/v1/models",
    async handle(request) {
      const version = request.url.searchParams.get("client_version");
      const codex = version === null ? undefined : await services.catalogue.codexList(version);
      if (codex) return codexAnswer(codex);
      const refresh = /^(1|true|yes)$/i.test(request.url.searchParams.get("refresh") ?? "");
      const platform = await services.catalogue.platformList({ refresh });
      if (platform)
        return jsonAnswer(speaksAnthropic(request) ? anthropicPage(platformEntries(platform), request.url) : platform);
      const models = listed(await services.catalogue.models({ refresh }));
      if (speaksAnthropic(request)) return jsonAnswer(anthropicPage(models.map(anthropicModel), request.url));
      return jsonAnswer({ object: "list", data: models.map(openaiModel) });
    },
  };
}

/** `GET /v1/models/{id}`: a catalogue id, an alias, or a name with an effort suffix. */
export function modelRoute(services: Services): Route {
  return {
    method: "GET",
    path: "/v1/models/:model{.+}",
    async handle(request) {
      const name = request.param("model");
      const platform = await services.catalogue.platformList();
      if (platform) {
        const entry = (Array.isArray(platform.data) ? platform.data : []).find(
          (one) => isObject(one) && one.id === name,
        );
        if (!entry) throw unknownModel(name, []);
        return jsonAnswer(entry);
      }
      const models = await services.catalogue.models();
      const { slug } = resolveModel(name, models, services.config.modelAliases);
      const model = models.find((one) => one.slug === slug);
      if (!model) throw unknownModel(name, listed(models));
      const shown = speaksAnthropic(request) ? anthropicModel(model) : openaiModel(model);
      return jsonAnswer({ ...shown, id: name });
    },
  };
}

function codexAnswer({ text, etag }: CodexList): Answer {
  const headers = { "content-type": "application/json", "cache-control": "no-store", ...(etag ? { etag } : {}) };
  return { status: 200, headers, body: text };
}

const speaksAnthropic = ({ request }: RouteRequest): boolean => request.headers.has("anthropic-version");

function listed(models: readonly CatalogueModel[]): CatalogueModel[] {
  return models.filter((model) => model.listed).sort((one, other) => (one.slug < other.slug ? -1 : 1));
}

function openaiModel(model: CatalogueModel): JsonObject {
  return {
    id: model.slug,
    object: "model",
    created: 0,
    owned_by: "openai",
    display_name: model.displayName,
    context_window: model.contextWindow ?? null,
    max_context_window: model.maxContextWindow ?? null,
    max_output_tokens: MAX_OUTPUT_TOKENS,
    input_modalities: model.inputModalities,
    output_modalities: ["text"],
    reasoning_efforts: model.efforts,
    default_reasoning_effort: model.defaultEffort ?? null,
    service_tiers: model.serviceTiers,
  };
}

function anthropicModel(model: CatalogueModel): JsonObject & { id: string } {
  return {
    type: "model",
    id: model.slug,
    display_name: model.displayName,
    created_at: EPOCH,
    max_input_tokens: model.contextWindow ?? null,
    max_tokens: MAX_OUTPUT_TOKENS,
  };
}

function platformEntries(list: JsonObject): (JsonObject & { id: string })[] {
  const entries = Array.isArray(list.data) ? list.data.filter(isObject) : [];
  return entries.map(({ id }) => ({ type: "model", id: String(id), display_name: String(id), created_at: EPOCH }));
}

/** One page of Anthropic's list (https://docs.anthropic.com/en/api/models-list). */
function anthropicPage(models: readonly (JsonObject & { id: string })[], url: URL): JsonObject {
  // Both ids are listed: the catalogue's own for programs, the prefixed one for the picker.
  const all = models.flatMap((model) => [model, { ...model, id: `${PICKER_PREFIX}${model.id}` }]);
  const limit = Math.min(1000, Math.max(1, Number(url.searchParams.get("limit")) || 20));
  const indexOf = (name: string) => all.findIndex((model) => model.id === url.searchParams.get(name));
  const before = indexOf("before_id");
  const from = before >= 0 ? Math.max(0, before - limit) : indexOf("after_id") + 1;
  const data = all.slice(from, before >= 0 ? before : from + limit);
  return {
    data,
    has_more: before >= 0 ? from > 0 : from + limit < all.length,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}

function unknownModel(name: string, models: readonly CatalogueModel[]): ProxyError {
  const known = models.length > 0 ? `; there are ${models.map((model) => model.slug).join(", ")}` : "";
  return new ProxyError("model_not_found", `model ${JSON.stringify(name)} does not exist${known}`, {
    code: "model_not_found",
    param: "model",
  });
}
