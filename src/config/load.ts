import { isLoopback } from "../http/host-guard.ts";
import type { Platform } from "../platform.ts";
import { hashKeys, readKeyFile } from "./client-keys.ts";
import type { ClientKey, ProxyConfig } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { readIdentity } from "./identity.ts";
import { readNetwork } from "./network.ts";
import type { Settings } from "./options.ts";
import { readBaseUrl } from "./read-value.ts";
import { VERSION } from "./version.ts";

const AUTH_ISSUER = "https://auth.openai.com";
/** Codex's own OAuth client, so that one login serves both. */
const OAUTH_CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann";

export type ConfigPlatform = Pick<Platform, "env" | "files" | "homeDir" | "os">;

/**
 * The configuration of a server from its settings and from what only the environment tells.
 * @throws ConfigError.
 */
export async function loadConfig(settings: Settings, platform: ConfigPlatform): Promise<ProxyConfig> {
  const { env, files } = platform;
  const apiKeys = await loadKeys(settings, platform);
  refuseOpenBind(settings.host, apiKeys);
  const authIssuer = urlFrom(env, "CODEX_API_PROXY_AUTH_ISSUER") ?? AUTH_ISSUER;
  return {
    version: VERSION,
    host: settings.host,
    port: settings.port,
    apiKeys,
    allowedHosts: settings.allow_host,
    allowedOrigins: settings.allow_origin,
    codexHome: codexHomeOf(platform),
    chatgptBaseUrl: settings.chatgpt_base_url,
    openaiBaseUrl: settings.openai_base_url,
    authIssuer,
    refreshTokenUrl: urlFrom(env, "CODEX_REFRESH_TOKEN_URL_OVERRIDE") ?? `${authIssuer}/oauth/token`,
    revokeTokenUrl: urlFrom(env, "CODEX_REVOKE_TOKEN_URL_OVERRIDE") ?? `${authIssuer}/oauth/revoke`,
    oauthClientId: env("CODEX_APP_SERVER_LOGIN_CLIENT_ID")?.trim() || OAUTH_CLIENT_ID,
    network: await readNetwork(files, env, settings.proxy),
    identity: readIdentity(env, platform.os),
    defaults: {
      fast: settings.fast,
      reasoningEffort: settings.reasoning_effort,
      verbosity: settings.verbosity,
      serviceTier: settings.service_tier,
    },
    modelAliases: readAliases(settings.model_alias),
    modelsCacheTtl: settings.models_cache_ttl,
    bodyLimit: settings.body_limit,
    maxAttempts: settings.max_attempts,
    idleTimeout: settings.idle_timeout,
    storeLimit: settings.store_limit,
    storeTtl: settings.store_ttl,
    strict: settings.strict,
    quotaWarning: settings.quota_warning,
    logLevel: settings.log_level,
    logFormat: settings.log_format,
  };
}

/** `CODEX_HOME`, else `~/.codex`. */
export function codexHomeOf({ env, homeDir }: Pick<Platform, "env" | "homeDir">): string {
  return (
    env("CODEX_HOME")
      ?.trim()
      .replace(/(?<=.)\/+$/, "") || `${homeDir}/.codex`
  );
}

/** Keys given by themselves and those of the key file. */
async function loadKeys(settings: Settings, { files }: Pick<Platform, "files">): Promise<ClientKey[]> {
  const given = await hashKeys(settings.api_key);
  return settings.api_key_file === undefined ? given : [...given, ...(await readKeyFile(files, settings.api_key_file))];
}

/** Whoever reaches the port spends the user's plan: beyond this machine that takes a key. */
function refuseOpenBind(host: string, keys: readonly ClientKey[]): void {
  if (keys.length > 0 || isLoopback(host)) return;
  throw new ConfigError(
    `--host ${host} exposes codex-api-proxy beyond localhost. Set --api-key or CODEX_PROXY_API_KEY so that only your clients can use it.`,
  );
}

function readAliases(entries: readonly string[]): Record<string, string> {
  const aliases: Record<string, string> = Object.create(null);
  for (const entry of entries) {
    const at = entry.indexOf("=");
    aliases[entry.slice(0, at).trim()] = entry.slice(at + 1).trim();
  }
  return aliases;
}

function urlFrom(env: Platform["env"], name: string): string | undefined {
  const text = env(name)?.trim();
  return text ? readBaseUrl(text, name) : undefined;
}
