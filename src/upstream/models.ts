import type { ProxyConfig } from "../config/config.ts";
import type { CredentialSession, Credentials } from "../credentials/credentials.ts";
import { ProxyError } from "../errors.ts";
import { isObject, type JsonObject } from "../json.ts";
import type { Log } from "../observability/log.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { Clock, UpstreamFetch } from "../platform.ts";
import type { Catalogue, CatalogueModel, CodexList } from "./catalogue.ts";
import { failureOfConnection, failureOfResponse } from "./failure.ts";
import { chatgptHeaders, platformHeaders, trimBase } from "./target.ts";

const LONGEST_LIST = 32 * 1024 * 1024;
const TIMEOUT_MS = 20_000;
/** A request does not wait longer than this for the first list. */
const FIRST_WAIT_MS = 5_000;
/** Requests look into a list of any age; it is renewed beside them after this, whatever the cache option says. */
const RENEW_AFTER_MS = 5 * 60_000;
const RETRY_AFTER_MS = 30_000;

export interface CatalogueDeps {
  readonly config: Pick<ProxyConfig, "chatgptBaseUrl" | "openaiBaseUrl" | "identity" | "modelsCacheTtl">;
  readonly fetch: UpstreamFetch;
  readonly session: CredentialSession;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

interface Loaded {
  readonly models: readonly CatalogueModel[];
  /** OpenAI's own list, in API-key mode. */
  readonly platform: JsonObject | undefined;
  readonly owner: string;
  readonly etag: string | undefined;
  readonly at: number;
}

/** `GET /codex/models?client_version=…`, or `GET /v1/models` in API-key mode; one fetch at a time. */
export function createCatalogue(deps: CatalogueDeps): Catalogue {
  let loaded: Loaded | undefined;
  let flight: Promise<Loaded> | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;
  /** The last ETag of an answer for which the list was fetched: it may never be the list's own. */
  let toldEtag: string | null = null;

  function load(): Promise<Loaded> {
    flight ??= fetchList(deps)
      .then((fresh) => {
        loaded = fresh;
        return fresh;
      })
      .catch((error: unknown) => {
        failedAt = deps.clock.now();
        throw error;
      })
      .finally(() => {
        flight = undefined;
      });
    return flight;
  }

  /** The list of the login in use; undefined, and nothing asked, when that is of the other mode. */
  async function current(mode: Credentials["mode"], refresh: boolean): Promise<Loaded | undefined> {
    const credentials = await deps.session.current();
    if (credentials.mode !== mode) return undefined;
    const owner = ownerOf(credentials);
    const mine = loaded?.owner === owner ? loaded : undefined;
    const age = mine ? deps.clock.now() - mine.at : Number.POSITIVE_INFINITY;
    const fresh = !refresh && age < deps.config.modelsCacheTtl * 1000;
    deps.metrics.modelsCache(fresh);
    if (mine && fresh) return mine;
    try {
      return await load();
    } catch (error) {
      if (!mine) throw error;
      deps.log.write("upstream", "warning", "models_stale", { reason: (error as Error).message });
      return mine;
    }
  }

  function renew(): void {
    const now = deps.clock.now();
    if (flight || now - (loaded?.at ?? 0) < RENEW_AFTER_MS || now - failedAt < RETRY_AFTER_MS) return;
    load().catch(() => {});
  }

  function seeEtag(etag: string | null): void {
    if (etag === null || !loaded || flight || etag === loaded.etag || etag === toldEtag) return;
    const now = deps.clock.now();
    // Servers that disagree must not make every request fetch the list.
    if (now - loaded.at < RETRY_AFTER_MS || now - failedAt < RETRY_AFTER_MS) return;
    toldEtag = etag;
    load().catch(() => {});
  }

  function known(): readonly CatalogueModel[] | Promise<readonly CatalogueModel[]> {
    if (loaded) {
      renew();
      return loaded.models;
    }
    if (deps.clock.now() - failedAt < RETRY_AFTER_MS) return [];
    const timer = new AbortController();
    const late = deps.clock.sleep(FIRST_WAIT_MS, timer.signal).then(
      () => [],
      () => [],
    );
    const first = load().then(
      (list) => list.models,
      () => [],
    );
    return Promise.race([first, late]).finally(() => timer.abort());
  }

  return {
    models: async (options = {}) => (await current("chatgpt", options.refresh === true))?.models ?? [],
    platformList: async (options = {}) => (await current("api_key", options.refresh === true))?.platform,
    known,
    seeEtag,
    async codexList(clientVersion) {
      const credentials = await deps.session.current();
      if (credentials.mode !== "chatgpt") return undefined;
      const { list } = await fetchText(deps, credentials, clientVersion);
      readJson(list.text);
      return list;
    },
    async find(slug) {
      return (await known()).find((model) => model.slug === slug);
    },
    warm() {
      if (!loaded) load().catch(() => {});
    },
  };
}

async function fetchList(deps: CatalogueDeps): Promise<Loaded> {
  const { list, credentials } = await fetchText(deps, await deps.session.current(), deps.config.identity.clientVersion);
  const body = readJson(list.text);
  const common = { owner: ownerOf(credentials), etag: list.etag, at: deps.clock.now() };
  if (credentials.mode === "api_key") return { models: [], platform: body, ...common };
  return { models: readModels(body), platform: undefined, ...common };
}

/** Upstream's answer, and the credentials that got it. */
async function fetchText(
  deps: CatalogueDeps,
  given: Credentials,
  clientVersion: string,
): Promise<{ list: CodexList; credentials: Credentials }> {
  let credentials = given;
  let response = await request(deps, credentials, clientVersion);
  if (response.status === 401 && credentials.mode === "chatgpt") {
    response.discard();
    credentials = await deps.session.recover(credentials);
    response = await request(deps, credentials, clientVersion);
  }
  if (response.status !== 200) throw await failureOfResponse(response, { now: deps.clock.now() });
  const text = await response.text(LONGEST_LIST);
  return { list: { text, etag: response.headers.get("etag") ?? undefined }, credentials };
}

async function request(deps: CatalogueDeps, credentials: Credentials, clientVersion: string) {
  const { config } = deps;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const [url, headers] =
    credentials.mode === "api_key"
      ? [`${trimBase(config.openaiBaseUrl)}/models`, platformHeaders(credentials.apiKey, config.identity)]
      : [
          `${trimBase(config.chatgptBaseUrl)}/models?client_version=${encodeURIComponent(clientVersion)}`,
          chatgptHeaders(credentials, config.identity),
        ];
  try {
    return await deps.fetch(url, { method: "GET", headers: { ...headers, accept: "application/json" }, signal });
  } catch (cause) {
    if (signal.aborted)
      throw new ProxyError("upstream_timeout", "upstream's model list did not come in time", { cause });
    throw failureOfConnection(cause, signal);
  }
}

/** Whose list it is: plans differ in their models. */
function ownerOf(credentials: Credentials): string {
  return credentials.mode === "api_key" ? "api_key" : `chatgpt ${credentials.accountId ?? ""}`;
}

function readJson(text: string): JsonObject {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new ProxyError("upstream_protocol", "upstream's model list is not JSON", { cause });
  }
  if (!isObject(body)) throw new ProxyError("upstream_protocol", "upstream's model list is not an object");
  return body;
}

/** The catalogue's entries by priority. @throws ProxyError `upstream_protocol` when it is no catalogue. */
export function readModels(body: JsonObject): CatalogueModel[] {
  if (!Array.isArray(body.models)) throw new ProxyError("upstream_protocol", "upstream's model list has no `models`");
  return body.models
    .filter((entry) => isObject(entry) && typeof entry.slug === "string")
    .map((entry) => readModel(entry as JsonObject & { slug: string }))
    .sort((one, other) => one.priority - other.priority);
}

function readModel(entry: JsonObject & { slug: string }): CatalogueModel {
  return {
    slug: entry.slug,
    displayName: textOf(entry.display_name) ?? entry.slug,
    description: textOf(entry.description),
    listed: entry.visibility === "list" && entry.supported_in_api !== false,
    priority: numberOf(entry.priority) ?? Number.MAX_SAFE_INTEGER,
    contextWindow: numberOf(entry.context_window),
    maxContextWindow: numberOf(entry.max_context_window),
    effectivePercent: numberOf(entry.effective_context_window_percent) ?? 95,
    efforts: named(entry.supported_reasoning_levels, "effort"),
    defaultEffort: textOf(entry.default_reasoning_level),
    inputModalities: Array.isArray(entry.input_modalities)
      ? entry.input_modalities.filter((each) => typeof each === "string")
      : ["text"],
    supportsVerbosity: entry.support_verbosity === true,
    usesResponsesLite: entry.use_responses_lite === true,
    serviceTiers: named(entry.service_tiers, "id"),
  };
}

function named(list: unknown, field: string): string[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((each) => {
    const name: unknown = isObject(each) ? each[field] : each;
    return typeof name === "string" ? [name] : [];
  });
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
