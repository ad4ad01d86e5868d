import { type GivenValues, type ResolvedSettings, resolveSettings } from "../config/settings.ts";
import type { Instance } from "../daemon/instance.ts";
import { readStateFile } from "../daemon/state-file.ts";
import { isObject, type JsonObject } from "../json.ts";
import type { Platform, UpstreamFetch } from "../platform.ts";
import { publicUrl } from "./endpoints.ts";

const TIMEOUT_MS = 10_000;
const LONGEST = 16 * 1024 * 1024;

/** Settings of commands that look after a server: option > environment > config.toml > default. */
export async function settingsWithSaved(
  platform: Platform,
  given: GivenValues,
): Promise<ResolvedSettings & { saved: GivenValues | undefined }> {
  const sources = { flags: given, env: platform.env, homeDir: platform.homeDir };
  const { state_file } = resolveSettings(sources).settings;
  const saved = await readStateFile(platform.files, state_file);
  return { ...resolveSettings(saved ? { ...sources, saved } : sources), saved };
}

/** A client of this machine's own server: no outbound proxy, and a key where it needs one. */
export interface OwnServer {
  readonly baseUrl: string;
  /** The answer's status and JSON, undefined when it is none. */
  get(path: string): Promise<{ status: number; json: JsonObject | undefined }>;
  readonly fetch: UpstreamFetch;
  readonly headers: Record<string, string>;
}

export function ownServer(platform: Platform, instance: Pick<Instance, "host" | "port" | "controlKey">): OwnServer {
  const baseUrl = publicUrl(instance.host, instance.port);
  const fetch = platform.createFetch({ proxyUrl: undefined, noProxy: [], extraCa: undefined });
  const headers: Record<string, string> =
    instance.controlKey === undefined ? {} : { authorization: `Bearer ${instance.controlKey}` };
  return {
    baseUrl,
    fetch,
    headers,
    async get(path) {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const response = await fetch(`${baseUrl}${path}`, { method: "GET", headers, signal });
      const text = await response.text(LONGEST);
      return { status: response.status, json: parse(text) };
    },
  };
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
