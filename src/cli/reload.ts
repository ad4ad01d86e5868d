import type { ClientKey, ProxyConfig } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import type { SettingName, Settings } from "../config/options.ts";
import { resolveSettings } from "../config/settings.ts";
import { readStateFile, toSaved } from "../daemon/state-file.ts";
import type { LogSink } from "../observability/log-sink.ts";
import type { Platform } from "../platform.ts";

/** Settings that a running server takes on, each under the name of its place in the configuration; others need a restart. */
const LIVE: Partial<Record<SettingName, keyof ProxyConfig>> = {
  api_key: "apiKeys",
  api_key_file: "apiKeys",
  log_level: "logLevel",
  models_cache_ttl: "modelsCacheTtl",
  fast: "defaults",
  reasoning_effort: "defaults",
  verbosity: "defaults",
  service_tier: "defaults",
  allow_host: "allowedHosts",
  allow_origin: "allowedOrigins",
  model_alias: "modelAliases",
  body_limit: "bodyLimit",
  max_attempts: "maxAttempts",
  idle_timeout: "idleTimeout",
  strict: "strict",
};

export interface ReloadTarget {
  /** As the server was started. */
  readonly settings: Settings;
  /** Read by every request; changed in place. */
  readonly config: ProxyConfig;
  /** Stay, whatever the user's keys are. */
  readonly controlKeys: readonly ClientKey[];
  /** Whether config.toml is this server's: a service has its settings elsewhere, and only its key file can change. */
  readonly keepsSettings: boolean;
  readonly log: LogSink;
}

/**
 * Reads config.toml and the key file anew and applies what can change without losing a stream. What cannot be read, or would
 * open the server to strangers, changes nothing. The log tells what came of it.
 */
export function createReload(platform: Platform, target: ReloadTarget): () => Promise<void> {
  const { config, controlKeys, log } = target;
  let current = target.settings;
  return async () => {
    try {
      const next = target.keepsSettings ? await readAnew(platform, current) : current;
      const loaded = await loadConfig({ ...next, host: current.host }, platform);
      const changed = await differing(current, next);
      const live = Object.fromEntries(Object.values(LIVE).map((name) => [name, loaded[name]]));
      Object.assign(config, live, { apiKeys: [...loaded.apiKeys, ...controlKeys] });
      log.setLevel(loaded.logLevel);
      current = { ...current, ...Object.fromEntries(changed.filter(isLive).map((name) => [name, next[name]])) };
      const waiting = changed.filter((name) => !isLive(name));
      log.write("server", "info", "reloaded", {
        keys: loaded.apiKeys.length,
        changed: changed.filter(isLive),
        ...(waiting.length === 0 ? {} : { restart_needed_for: waiting }),
      });
    } catch (error) {
      log.write("server", "error", "reload_failed", { message: (error as Error).message });
    }
  };
}

const isLive = (name: SettingName): boolean => Object.hasOwn(LIVE, name);

/** config.toml holds all that was in force at the start, so it needs neither options nor the environment. */
async function readAnew({ files, homeDir }: Platform, current: Settings): Promise<Settings> {
  const saved = await readStateFile(files, current.state_file);
  if (saved === undefined) return current;
  const { settings } = resolveSettings({ flags: {}, env: () => undefined, saved, homeDir });
  return { ...settings, state_file: current.state_file };
}

/** Compared as they are saved, keys by their hashes. */
async function differing(one: Settings, other: Settings): Promise<SettingName[]> {
  const [before, after] = await Promise.all([toSaved(one), toSaved(other)]);
  const names = Object.keys({ ...before, ...after }) as SettingName[];
  return names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}
