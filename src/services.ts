import type { AppDeps } from "./app.ts";
import type { CredentialSession } from "./credentials/credentials.ts";
import type { RelayDeps } from "./relay/index.ts";
import { createReasoningMemory, type ReasoningMemory } from "./sessions/reasoning-memory.ts";
import { createResponseStore, type ResponseStore } from "./sessions/response-store.ts";
import { createThreadStore, type ThreadStore } from "./sessions/thread-store.ts";
import { createTokenCounter } from "./tokens/counter.ts";
import { loadTokenizer } from "./tokens/load.ts";
import type { Catalogue } from "./upstream/catalogue.ts";
import { createCatalogue } from "./upstream/models.ts";
import { createQuotaTracker } from "./upstream/quota-tracker.ts";
import { createUpstream } from "./upstream/send.ts";

/** Everything that the routes share, built once for each server. */
export interface Services extends RelayDeps {
  readonly startedAt: number;
  readonly session: CredentialSession;
  readonly catalogue: Catalogue;
  readonly responses: ResponseStore;
  readonly reasoning: ReasoningMemory;
  readonly threads: ThreadStore;
  /** Reads credentials and catalogue ahead of the first request; never throws. */
  warm(): void;
}

export function createServices(deps: AppDeps, session: CredentialSession, startedAt: number): Services {
  const { config, fetch, clock, log, metrics, newId } = deps;
  const quota = createQuotaTracker({ clock, log, metrics, warningPercent: config.quotaWarning });
  const catalogue = createCatalogue({ config, fetch, session, clock, log, metrics });
  const upstream = createUpstream({ config, fetch, session, catalogue, clock, log, metrics, quota });
  const bounds = { clock, maxEntries: config.storeLimit, ttlSeconds: config.storeTtl };
  return {
    config,
    upstream,
    quota,
    tokens: createTokenCounter(() => loadTokenizer(deps.files.readText)),
    clock,
    newId,
    log,
    metrics,
    work: deps.work,
    startedAt,
    session,
    catalogue,
    responses: createResponseStore(bounds),
    reasoning: createReasoningMemory(bounds),
    threads: createThreadStore(bounds),
    warm() {
      session.current().then(
        () => catalogue.warm(),
        () => {},
      );
    },
  };
}
