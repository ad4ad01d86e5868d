import { parse, stringify } from "smol-toml";
import { hashKeys, storedKey } from "../config/client-keys.ts";
import { ConfigError } from "../config/config-error.ts";
import { OPTIONS, type SettingName, type Settings } from "../config/options.ts";
import type { GivenValues } from "../config/settings.ts";
import { isObject } from "../json.ts";
import type { FileStore } from "../platform.ts";

const PRIVATE_FILE = 0o600;

/** The effective parameters that `start` shows, in its order. config.toml always holds them, others only when they are set. */
export const SHOWN_SETTINGS: readonly SettingName[] = [
  "host",
  "port",
  "api_key",
  "proxy",
  "log_level",
  "log_format",
  "models_cache_ttl",
  "fast",
  "reasoning_effort",
  "verbosity",
  "service_tier",
  "pid_file",
  "log_file",
];

/**
 * Settings kept by an earlier start; undefined when there is no file. JSON, as very old versions wrote, is read too.
 * @throws ConfigError when it cannot be read.
 */
export async function readStateFile(files: FileStore, path: string): Promise<GivenValues | undefined> {
  const text = await files.readText(path);
  if (text === undefined) return undefined;
  let values: unknown;
  try {
    values = text.trimStart().startsWith("{") ? JSON.parse(text) : parse(text);
  } catch {
    throw new ConfigError(`${path} cannot be read as TOML; correct or remove it`);
  }
  if (!isObject(values)) throw new ConfigError(`${path} holds no settings; correct or remove it`);
  const table = values;
  // Empty texts and nulls stood for "not set".
  const known = OPTIONS.filter(({ name, saved }) => saved && table[name] != null && table[name] !== "");
  return Object.fromEntries(known.map(({ name }) => [name, table[name]]));
}

/** Flat, sorted, private; keys only as their hashes. */
export async function writeStateFile(files: FileStore, path: string, settings: Settings): Promise<void> {
  await files.writeTextAtomic(path, `${stringify(await toSaved(settings))}`, PRIVATE_FILE);
}

/** Settings as config.toml holds them. */
export async function toSaved(settings: Settings): Promise<Record<string, unknown>> {
  const stored: Settings = { ...settings, api_key: (await hashKeys(settings.api_key)).map(storedKey) };
  const flat = (value: unknown): unknown => (Array.isArray(value) && value.length === 1 ? value[0] : value);
  const entries = OPTIONS.filter(
    ({ name, saved, default: fallback }) => saved && (SHOWN_SETTINGS.includes(name) || stored[name] !== fallback),
  )
    .map(({ name }) => [name, flat(stored[name])] as const)
    .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0));
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}
