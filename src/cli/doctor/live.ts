import type { ProxyConfig } from "../../config/config.ts";
import type { Settings } from "../../config/options.ts";
import type { Instance } from "../../daemon/instance.ts";
import { isObject, type JsonObject } from "../../json.ts";
import type { Platform } from "../../platform.ts";
import { ownServer } from "../own-server.ts";
import { reason } from "./check.ts";
import { faultOf, LIVE_ENDPOINTS, LIVE_FEATURES, type LiveEndpoint, type LiveFeature } from "./live-requests.ts";

const REQUEST_MS = 120_000;
const LONGEST = 16 * 1024 * 1024;

/** One cell of the table. */
export interface LiveResult {
  readonly endpoint: string;
  readonly feature: LiveFeature;
  readonly ok: boolean;
  /** What went wrong, or for the cache how much of it was read. */
  readonly detail: string;
  readonly ms: number;
  /** What to do about it, where it is not ok. */
  readonly fix?: string;
}

type Ask = (path: string, body: JsonObject) => Promise<{ status: number; text: string }>;

/**
 * One tiny request an endpoint and feature, through the running server or one started for it.
 * @param onResult called after each, since all take a minute.
 */
export async function runLive(
  platform: Platform,
  settings: Settings,
  config: ProxyConfig,
  instance: Instance | undefined,
  onResult: (result: LiveResult) => void,
): Promise<LiveResult[]> {
  const { ask, stop } = instance
    ? throughServer(platform, instance)
    : await throughOwnServer(platform, settings, config);
  const results: LiveResult[] = [];
  try {
    for (const endpoint of LIVE_ENDPOINTS) {
      for (const feature of LIVE_FEATURES) {
        const result = await tryFeature(platform, ask, endpoint, feature);
        results.push(result);
        onResult(result);
      }
    }
  } finally {
    await stop();
  }
  return results;
}

function throughServer(platform: Platform, instance: Instance): { ask: Ask; stop: () => Promise<void> } {
  const { baseUrl, fetch, headers } = ownServer(platform, instance);
  return {
    async ask(path, body) {
      const response = await fetch(`${baseUrl}${path}`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(REQUEST_MS),
      });
      return { status: response.status, text: await response.text(LONGEST) };
    },
    stop: async () => {},
  };
}

/** A server on a free loopback port, for the time of the test. */
async function throughOwnServer(platform: Platform, settings: Settings, config: ProxyConfig) {
  const { startServer } = await import("../serve.ts");
  const local = { ...config, host: "127.0.0.1", port: 0, apiKeys: [] };
  const server = await startServer(platform, { settings, config: local, logTo: "nowhere" });
  const here = { host: local.host, port: server.port, controlKey: undefined } as Instance;
  return { ask: throughServer(platform, here).ask, stop: () => server.stop() };
}

async function tryFeature(
  { clock }: Platform,
  ask: Ask,
  endpoint: LiveEndpoint,
  feature: LiveFeature,
): Promise<LiveResult> {
  const startedAt = clock.now();
  const done = (ok: boolean, detail: string, status = 200): LiveResult => ({
    endpoint: endpoint.path,
    feature,
    ok,
    detail,
    ms: clock.now() - startedAt,
    ...(ok ? {} : { fix: fixFor(status) }),
  });
  try {
    const first = await ask(endpoint.path, endpoint.body(feature));
    if (first.status !== 200) return done(false, `${first.status}: ${messageOf(first.text)}`, first.status);
    if (feature === "stream") {
      const whole = first.text.includes(endpoint.streamEnd);
      return whole ? done(true, "complete") : done(false, "the stream did not end in order");
    }
    if (feature !== "cache") {
      const fault = faultOf(endpoint, feature, readObject(first.text));
      return fault === undefined ? done(true, "works") : done(false, fault);
    }
    const second = await ask(endpoint.path, endpoint.body(feature));
    if (second.status !== 200) return done(false, `${second.status}: ${messageOf(second.text)}`, second.status);
    // Upstream promises no hit, so none is no fault.
    return done(true, `${endpoint.cachedTokens(readObject(second.text))} tokens read from it`);
  } catch (error) {
    return done(false, reason(error), 500);
  }
}

function fixFor(status: number): string {
  if (status === 401 || status === 403) return "sign in again: codex-api-proxy login";
  if (status === 429) return "wait until the plan's window opens again: codex-api-proxy status --refresh";
  if (status >= 500) return "try again in a minute; if it stays, see codex-api-proxy logs";
  if (status >= 400) return "see the message; codex-api-proxy logs, with --log-level debug, shows more";
  return "try again, a model may choose to answer otherwise; if it stays, use another model";
}

function readObject(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  return isObject(value) ? value : {};
}

function messageOf(text: string): string {
  try {
    const { error } = readObject(text);
    if (isObject(error) && typeof error.message === "string") return error.message;
  } catch {
    // No JSON: nothing of ours.
  }
  return text.slice(0, 200);
}

/** Endpoints by features, and below it what went wrong. */
export function liveTable(results: readonly LiveResult[]): string {
  const width = Math.max(...LIVE_ENDPOINTS.map(({ path }) => path.length));
  const header = `${"".padEnd(width)}  ${LIVE_FEATURES.join("  ")}`;
  const rows = LIVE_ENDPOINTS.map(({ path }) => {
    const cells = LIVE_FEATURES.map((feature) => {
      const found = results.find((one) => one.endpoint === path && one.feature === feature);
      return (found?.ok ? "✓" : "✗").padEnd(feature.length);
    });
    return `${path.padEnd(width)}  ${cells.join("  ")}`.trimEnd();
  });
  const notes = results
    .filter(({ ok, feature }) => !ok || feature === "cache")
    .map(({ endpoint, feature, ok, detail, fix }) => {
      const line = `${ok ? "✓" : "✗"} ${endpoint} ${feature}: ${detail}`;
      return fix === undefined ? line : `${line}\n  → ${fix}`;
    });
  return `${[header, ...rows, ...notes].join("\n")}\n`;
}
