import type { ProxyConfig } from "../../../src/config/config.ts";
import type { Upstream } from "../../upstream/index.ts";

/** A configuration that points at a test double. */
export function testConfig(given: Partial<ProxyConfig> & { upstream: Upstream; codexHome: string }): ProxyConfig {
  const { upstream, ...overrides } = given;
  return {
    version: "0.0.0-test",
    host: "127.0.0.1",
    port: 8765,
    apiKeys: [],
    allowedHosts: [],
    allowedOrigins: [],
    chatgptBaseUrl: upstream.chatgptBaseUrl,
    openaiBaseUrl: upstream.openaiBaseUrl,
    authIssuer: upstream.authIssuer,
    refreshTokenUrl: upstream.refreshTokenUrl,
    revokeTokenUrl: upstream.revokeTokenUrl,
    oauthClientId: "app_EMoamEEZ73f0CkXaXp7hrann",
    network: { proxyUrl: undefined, noProxy: [], extraCa: undefined },
    identity: {
      clientVersion: "0.169.0",
      originator: "codex_cli_rs",
      userAgent: "codex_cli_rs/0.169.0 (Linux; x86_64) codex-api-proxy/0.0.0-test",
      residency: undefined,
    },
    defaults: { fast: false, reasoningEffort: undefined, verbosity: undefined, serviceTier: undefined },
    modelAliases: {},
    modelsCacheTtl: 300,
    bodyLimit: 64 * 1024 * 1024,
    maxAttempts: 3,
    idleTimeout: 0,
    storeLimit: 100,
    storeTtl: 3600,
    strict: false,
    quotaWarning: 90,
    logLevel: "info",
    logFormat: "text",
    ...overrides,
  };
}
