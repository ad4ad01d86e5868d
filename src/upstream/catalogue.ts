import type { JsonObject } from "../json.ts";

/** One model of upstream's catalogue (`GET /codex/models`), reduced to what the proxy decides by. */
export interface CatalogueModel {
  readonly slug: string;
  readonly displayName: string;
  readonly description: string | undefined;
  /** Shown to clients: `visibility` is `list` and `supported_in_api` is not false. */
  readonly listed: boolean;
  readonly priority: number;
  /** The default token budget and the hard maximum. */
  readonly contextWindow: number | undefined;
  readonly maxContextWindow: number | undefined;
  /** Share of the window that is usable for input, percent. */
  readonly effectivePercent: number;
  readonly efforts: readonly string[];
  readonly defaultEffort: string | undefined;
  readonly inputModalities: readonly string[];
  readonly supportsVerbosity: boolean;
  readonly usesResponsesLite: boolean;
  readonly serviceTiers: readonly string[];
}

/** `GET /codex/models` as upstream answered it. */
export interface CodexList {
  /** JSON text, `{models: [...]}`. */
  readonly text: string;
  readonly etag: string | undefined;
}

/** The live catalogue with its cache: single flight, stale on error. */
export interface Catalogue {
  /**
   * Every model that upstream told of, hidden ones included, by priority. Empty in API-key mode.
   * @throws ProxyError when there is neither an answer nor an older one.
   */
  models(options?: { refresh?: boolean }): Promise<readonly CatalogueModel[]>;
  /** The entry for a slug as known now, without waiting for the network when a cached list exists. */
  find(slug: string): Promise<CatalogueModel | undefined>;
  /** All entries as known now; waits for the network only when there never was a list. Never throws: empty then. */
  known(): readonly CatalogueModel[] | Promise<readonly CatalogueModel[]>;
  /**
   * API-key mode: OpenAI's own model list (`GET /v1/models`), under the same cache rules. Undefined in ChatGPT mode.
   * @throws ProxyError when there is neither an answer nor an older one.
   */
  platformList(options?: { refresh?: boolean }): Promise<JsonObject | undefined>;
  /**
   * ChatGPT mode: upstream's own answer for a Codex client of that version, as it is and uncached, since Codex keeps it
   * by itself. Undefined in API-key mode.
   * @throws ProxyError when there is no answer.
   */
  codexList(clientVersion: string): Promise<CodexList | undefined>;
  /** Hears of an answer's `x-models-etag`: a new one means that the list has changed, which is then fetched beside. */
  seeEtag(etag: string | null): void;
  /** Starts a fetch ahead of the first request; never throws. */
  warm(): void;
}
