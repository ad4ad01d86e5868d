import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { fileStore } from "../../../runtimes/shared/files.ts";
import { type App, createApp } from "../../../src/app.ts";
import type { ProxyConfig } from "../../../src/config/config.ts";
import type { Log } from "../../../src/observability/log.ts";
import type { Metrics } from "../../../src/observability/metrics.ts";
import type { CancelSignal, UpstreamFetch } from "../../../src/platform.ts";
import { fromResponse } from "../../../src/stream/byte-source.ts";
import { toAbortSignal } from "../../support/abort-signal.ts";
import { startUpstream, type Upstream, writeAuthFile } from "../../upstream/index.ts";
import { testConfig } from "./config.ts";

export interface TestApp {
  readonly upstream: Upstream;
  readonly app: App;
  /** All that was logged: `category severity event {fields}`. */
  readonly logged: string[];
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  /** A new app on the same upstream. */
  restart(overrides?: Partial<ProxyConfig>): void;
}

/** The app in memory in front of the strict double, for the tests of one file. */
export function useApp(kind: "chatgpt" | "apikey" | "pat" = "chatgpt", overrides: Partial<ProxyConfig> = {}): TestApp {
  const state: { upstream?: Upstream; app?: App; home?: string } = {};
  const logged: string[] = [];

  function start(more: Partial<ProxyConfig> = {}): void {
    const upstream = state.upstream as Upstream;
    const config = testConfig({ upstream, codexHome: state.home as string, ...overrides, ...more });
    logged.length = 0;
    state.app = createApp({
      loadApi: () => import("../../../src/api.ts"),
      config,
      fetch: plainFetch,
      files: fileStore,
      clock: { now: () => Date.now(), sleep },
      newId: () => crypto.randomUUID().replaceAll("-", ""),
      log: recordingLog(logged, config.logLevel === "debug"),
      metrics: silentMetrics,
      env: () => undefined,
    });
  }

  beforeAll(async () => {
    state.upstream = await startUpstream();
    state.home = mkdtempSync(join(tmpdir(), "codex-api-proxy-test-"));
    writeAuthFile(state.home, kind);
    start();
  });
  beforeEach(() => state.upstream?.reset());
  afterAll(async () => {
    await state.upstream?.close();
    if (state.home) rmSync(state.home, { recursive: true, force: true });
  });

  const request = async (
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: string,
  ): Promise<Response> =>
    (state.app as App).fetch(
      new Request(`http://127.0.0.1:8765${path}`, {
        method,
        headers: { host: "127.0.0.1:8765", ...headers },
        ...(body === undefined ? {} : { body }),
      }),
    );
  return {
    get upstream() {
      return state.upstream as Upstream;
    },
    get app() {
      return state.app as App;
    },
    logged,
    restart: start,
    get: (path, headers = {}) => request("GET", path, headers),
    post: (path, body, headers = {}) =>
      request(
        "POST",
        path,
        { "content-type": "application/json", ...headers },
        typeof body === "string" ? body : JSON.stringify(body),
      ),
  };
}

const plainFetch: UpstreamFetch = async (url, request) =>
  fromResponse(
    await fetch(url, {
      method: request.method,
      headers: request.headers,
      redirect: "manual",
      ...(request.body === undefined ? {} : { body: request.body as BodyInit, duplex: "half" }),
      ...(request.signal ? { signal: toAbortSignal(request.signal) } : {}),
    } as RequestInit),
  );

function sleep(ms: number, signal?: CancelSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const timer = setTimeout(resolve, ms / 10);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

function recordingLog(lines: string[], debugEnabled: boolean): Log {
  return {
    debugEnabled,
    write: (category, severity, event, fields) =>
      lines.push(`${category} ${severity} ${event} ${JSON.stringify(fields ?? {})}`),
  };
}

const silentMetrics: Metrics = {
  requestFinished() {},
  streamOpened() {},
  streamClosed() {},
  tokenRefreshed() {},
  modelsCache() {},
  upstreamRetried() {},
  upstreamFailed() {},
  tokensUsed() {},
  quotaSeen() {},
  toJson: () => ({}),
  toPrometheus: async () => "",
};
