/**
 * The embeddable API: the server as a `fetch(Request)` handler for a program of your own, on Node, Bun or Deno.
 *
 *     import { createApp } from "codex-api-proxy";
 *     Bun.serve({ fetch: createApp({ log_level: "info" }).fetch });
 */
import { createApp as createServerApp } from "../src/app.ts";
import { loadConfig } from "../src/config/load.ts";
import type { Settings } from "../src/config/options.ts";
import { resolveSettings } from "../src/config/settings.ts";
import { createLogSink } from "../src/observability/log-sink.ts";
import { createMetricsRegistry } from "../src/observability/metrics-registry.ts";
import type { Platform } from "../src/platform.ts";

/** Settings of the server that concern a handler, by their `config.toml` names; the environment counts as for the program. */
export type AppSettings = Partial<
  Omit<Settings, "port" | "demo" | "pid_file" | "log_file" | "state_file"> & {
    /** The name under which the handler is reached, for its Host check; `allow_host` adds more. */
    host: string;
  }
>;

/** How the handler meets the program that it is part of. */
export interface AppHooks {
  /** Takes log lines, secrets already redacted; a promise that it gives is waited for. Nothing is logged without it. */
  readonly log?: (lines: string) => unknown;
}

/** The server as a handler. */
export interface App {
  /**
   * Answers one request. Rejects only when a setting is wrong, with an error that names it: the configuration is read on
   * the first request.
   */
  readonly fetch: (request: Request) => Promise<Response>;
}

/** Makes a handler. A wrong setting is told by `fetch` rejecting with an error that names it. */
export function createApp(settings: AppSettings = {}, hooks: AppHooks = {}): App {
  let ready: Promise<App> | undefined;
  return {
    async fetch(request) {
      ready ??= build(settings, hooks);
      return (await ready).fetch(request);
    },
  };
}

async function build(given: AppSettings, hooks: AppHooks): Promise<App> {
  const platform = await currentPlatform();
  const { clock, files, env, homeDir } = platform;
  const { settings } = resolveSettings({ flags: given, env, homeDir });
  const config = await loadConfig(settings, platform);
  const write = async (lines: string): Promise<void> => void (await hooks.log?.(lines));
  const log = createLogSink({ level: settings.log_level, format: settings.log_format, now: clock.now, write });
  const fetch = platform.createFetch(config.network);
  const metrics = createMetricsRegistry(clock.now);
  const app = createServerApp({ loadApi, config, fetch, files, clock, newId, log, metrics, env });
  app.warm();
  return { fetch: async (request) => app.fetch(request) };
}

async function currentPlatform(): Promise<Platform> {
  const { versions } = globalThis.process;
  if (versions.bun !== undefined) return (await import("./bun/platform.ts")).createPlatform();
  if (versions.deno !== undefined) return (await import("./deno/platform.ts")).createPlatform();
  return (await import("./node/platform.ts")).createPlatform();
}

const loadApi = () => import("../src/api.ts");

const newId = (): string => crypto.randomUUID().replaceAll("-", "");
