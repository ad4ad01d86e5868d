import { hashKeys, storedKey } from "../config/client-keys.ts";
import type { Settings } from "../config/options.ts";
import { isObject } from "../json.ts";

/**
 * The variable in which the settings reach the server in the background: neither a command line nor a file, so `ps` shows
 * nothing; keys are hashed before.
 */
export const HANDOVER = "CODEX_API_PROXY_SETTINGS";
/** The variable that may hold the key in the clear; not handed on. */
const KEY_VARIABLE = "CODEX_PROXY_API_KEY";

/** The environment of the server's process. */
export async function handOver(
  environment: Readonly<Record<string, string | undefined>>,
  settings: Settings,
): Promise<Record<string, string | undefined>> {
  const stored: Settings = { ...settings, api_key: (await hashKeys(settings.api_key)).map(storedKey) };
  const { [KEY_VARIABLE]: _key, ...rest } = environment;
  return { ...rest, [HANDOVER]: JSON.stringify(stored) };
}

/** The settings handed over; undefined when this process was not started by `start`. */
export function takeOver(env: (name: string) => string | undefined): Settings | undefined {
  const text = env(HANDOVER);
  if (text === undefined || text === "") return undefined;
  const parsed: unknown = JSON.parse(text);
  return isObject(parsed) ? (parsed as unknown as Settings) : undefined;
}
