import type { CanonicalRequest, ResponsesBody } from "../../../src/canonical/request.ts";
import type { ProxyConfig } from "../../../src/config/config.ts";
import type { CredentialSession, Credentials } from "../../../src/credentials/credentials.ts";
import { ProxyError } from "../../../src/errors.ts";
import { silentLog } from "../../../src/observability/log.ts";
import type { Metrics } from "../../../src/observability/metrics.ts";
import type { Clock, UpstreamFetch, UpstreamRequest } from "../../../src/platform.ts";
import { fromResponse } from "../../../src/stream/byte-source.ts";
import { AttemptBudget } from "../../../src/upstream/attempts.ts";
import type { Catalogue } from "../../../src/upstream/catalogue.ts";
import { createCatalogue, readModels } from "../../../src/upstream/models.ts";
import { createQuotaTracker } from "../../../src/upstream/quota-tracker.ts";
import { createUpstream, type SendOptions } from "../../../src/upstream/send.ts";
import { readFixtureJson } from "../../upstream/index.ts";

export const MODELS = readModels(readFixtureJson("responses/models-catalog-0.169.0.json") as Record<string, unknown>);
const ACCOUNT = "00000000-0000-4000-8000-000000000001";

export const CHATGPT: Extract<Credentials, { mode: "chatgpt" }> = {
  mode: "chatgpt",
  accessToken: "access-1",
  refreshToken: "refresh-1",
  accountId: ACCOUNT,
  fedramp: false,
  expiresAt: undefined,
};
export const API_KEY: Credentials = { mode: "api_key", apiKey: "key-1" };

export function makeConfig(changes: Partial<ProxyConfig> = {}): ProxyConfig {
  return {
    version: "1.0.0",
    host: "127.0.0.1",
    port: 0,
    apiKeys: [],
    allowedHosts: [],
    allowedOrigins: [],
    codexHome: "/nowhere",
    chatgptBaseUrl: "https://chatgpt.com/backend-api/codex",
    openaiBaseUrl: "https://api.openai.com/v1",
    authIssuer: "https://auth.openai.com",
    refreshTokenUrl: "https://auth.openai.com/oauth/token",
    revokeTokenUrl: "https://auth.openai.com/oauth/revoke",
    oauthClientId: "app_test",
    network: { proxyUrl: undefined, noProxy: [], extraCa: undefined },
    identity: {
      clientVersion: "0.169.0",
      originator: "codex_cli_rs",
      userAgent: "codex_cli_rs/0.169.0 (Linux; x86_64) codex-api-proxy/1.0.0",
      residency: undefined,
    },
    defaults: { fast: false, reasoningEffort: undefined, verbosity: undefined, serviceTier: undefined },
    modelAliases: {},
    modelsCacheTtl: 300,
    bodyLimit: 64_000_000,
    maxAttempts: 3,
    idleTimeout: 0,
    storeLimit: 10,
    storeTtl: 60,
    strict: false,
    quotaWarning: 90,
    logLevel: "info",
    logFormat: "text",
    ...changes,
  };
}

export interface FakeClock extends Clock {
  time: number;
  readonly sleeps: number[];
}

/** A sleep ends at once and moves the time, unless `hold` keeps it waiting until it is aborted. */
export function fakeClock(hold = false): FakeClock {
  return {
    time: 1_795_379_000_000,
    sleeps: [],
    now() {
      return this.time;
    },
    sleep(ms, signal) {
      if (hold) return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
      this.sleeps.push(ms);
      this.time += ms;
      return Promise.resolve();
    },
  };
}

export interface FakeMetrics extends Metrics {
  readonly retried: string[];
  readonly failed: string[];
  readonly cache: boolean[];
}

export function fakeMetrics(): FakeMetrics {
  const retried: string[] = [];
  const failed: string[] = [];
  const cache: boolean[] = [];
  return {
    retried,
    failed,
    cache,
    requestFinished() {},
    streamOpened() {},
    streamClosed() {},
    tokenRefreshed() {},
    modelsCache: (hit) => void cache.push(hit),
    upstreamRetried: (reason) => void retried.push(reason),
    upstreamFailed: (kind) => void failed.push(kind),
    tokensUsed() {},
    quotaSeen() {},
    toJson: () => ({}),
    toPrometheus: async () => "",
  };
}

export interface Call {
  readonly url: string;
  readonly request: UpstreamRequest;
  readonly json: Record<string, unknown>;
}

/** Answers one call after another from a list; the last answer repeats. A thrown error is a broken connection. */
export function scripted(answers: readonly (Response | Error | ((call: Call) => Response))[]): {
  fetch: UpstreamFetch;
  calls: Call[];
} {
  const calls: Call[] = [];
  return {
    calls,
    fetch: async (url, request) => {
      const json = typeof request.body === "string" ? (JSON.parse(request.body) as Record<string, unknown>) : {};
      const call = { url, request, json };
      const answer = answers[Math.min(calls.length, answers.length - 1)];
      calls.push(call);
      if (answer instanceof Error) throw answer;
      const response = typeof answer === "function" ? answer(call) : answer;
      return fromResponse((response as Response).clone());
    },
  };
}

export function session(
  start: Credentials,
  next: readonly Credentials[] = [],
): CredentialSession & { recovered: number } {
  let at = 0;
  const all = [start, ...next];
  return {
    recovered: 0,
    authPath: "/nowhere/auth.json",
    current: async () => all[at] as Credentials,
    async recover() {
      this.recovered++;
      if (at + 1 >= all.length) throw new ProxyError("login_expired", "sign in again");
      return all[++at] as Credentials;
    },
  };
}

const fixedCatalogue: Catalogue = {
  models: async () => MODELS,
  find: async (slug) => MODELS.find((model) => model.slug === slug),
  known: () => MODELS,
  platformList: async () => undefined,
  codexList: async () => undefined,
  seeEtag() {},
  warm() {},
};

export interface Harness {
  readonly config?: Partial<ProxyConfig>;
  readonly credentials?: Credentials;
  readonly next?: readonly Credentials[];
  readonly live?: boolean;
}

export function makeUpstream(fetch: UpstreamFetch, options: Harness = {}) {
  const config = makeConfig(options.config);
  const clock = fakeClock(options.live);
  const metrics = fakeMetrics();
  const credentialSession = session(options.credentials ?? CHATGPT, options.next);
  const quota = createQuotaTracker({ clock, log: silentLog, metrics, warningPercent: 90 });
  const base = { config, fetch, session: credentialSession, clock, log: silentLog, metrics };
  const catalogue = options.live ? createCatalogue(base) : fixedCatalogue;
  const upstream = createUpstream({ ...base, catalogue, quota });
  return { upstream, clock, metrics, quota, catalogue, session: credentialSession };
}

export function sendOptions(
  headers: Record<string, string> = {},
  attempts = 3,
): SendOptions & { abort: AbortController } {
  const abort = new AbortController();
  return {
    abort,
    signal: abort.signal,
    header: (name) => headers[name],
    attempts: new AttemptBudget(attempts, () => 0),
  };
}

export function canonical(body: Partial<ResponsesBody>, more: Partial<CanonicalRequest> = {}): CanonicalRequest {
  return {
    body: { model: "gpt-5.5", input: [user("hi")], ...body },
    stop: [],
    dropped: [],
    clientNames: {},
    ...more,
  };
}

export function user(text: string): ResponsesBody["input"][number] {
  return { type: "message", role: "user", content: [{ type: "input_text", text }] };
}

export function sse(): Response {
  return new Response("data: {}\n\n", { headers: { "content-type": "text/event-stream" } });
}

export function failing(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(typeof body === "string" ? body : JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", ...headers },
  });
}
