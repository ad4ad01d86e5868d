import { describe, expect, it } from "vitest";
import { type ConfigPlatform, loadConfig } from "../../../src/config/load.ts";
import { type GivenValues, resolveSettings } from "../../../src/config/settings.ts";
import { sha256Hex } from "../../../src/http/local-auth.ts";
import { memoryFiles } from "../credentials/support/memory-files.ts";

const files = memoryFiles();
files.put("/keys", "# two clients\nlaptop:alpha\n\nbeta\n");
files.put("/empty", "# none\n");
files.put("/ca.pem", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n");
files.put("/no.pem", "hello");

function load(flags: GivenValues = {}, env: Record<string, string> = {}) {
  const platform: ConfigPlatform = {
    env: (name) => env[name],
    files,
    homeDir: "/home/user",
    os: { platform: "linux", arch: "x64" },
  };
  return loadConfig(resolveSettings({ flags, env: platform.env, homeDir: platform.homeDir }).settings, platform);
}

describe("loadConfig", () => {
  it("gives the documented defaults", async () => {
    const config = await load();
    expect(config).toMatchObject({
      host: "127.0.0.1",
      port: 8765,
      apiKeys: [],
      codexHome: "/home/user/.codex",
      chatgptBaseUrl: "https://chatgpt.com/backend-api/codex",
      openaiBaseUrl: "https://api.openai.com/v1",
      refreshTokenUrl: "https://auth.openai.com/oauth/token",
      revokeTokenUrl: "https://auth.openai.com/oauth/revoke",
      modelsCacheTtl: 300,
      logLevel: "info",
      logFormat: "text",
      network: { proxyUrl: undefined, noProxy: [], extraCa: undefined },
      defaults: { fast: false, reasoningEffort: undefined, verbosity: undefined, serviceTier: undefined },
    });
    expect(config.identity).toEqual({
      clientVersion: "0.169.0",
      originator: "codex_cli_rs",
      userAgent: `codex_cli_rs/0.169.0 (Linux; x86_64) codex-api-proxy/${config.version}`,
      residency: undefined,
    });
  });

  it("reads what only the environment tells", async () => {
    const config = await load(
      {},
      {
        CODEX_HOME: "/codex/",
        CODEX_REFRESH_TOKEN_URL_OVERRIDE: "http://127.0.0.1:9/token",
        CODEX_APP_SERVER_LOGIN_CLIENT_ID: "app_x",
        CODEX_INTERNAL_ORIGINATOR_OVERRIDE: "mine",
        CODEX_API_PROXY_USER_AGENT: "mine/1",
        CODEX_API_PROXY_RESIDENCY: "us",
        CODEX_API_PROXY_CLIENT_VERSION: "0.170.1",
        NO_PROXY: "a.example, .b.example,",
        CODEX_API_PROXY_CA_BUNDLE: "/ca.pem",
        REQUESTS_CA_BUNDLE: "/missing.pem",
      },
    );
    expect(config.codexHome).toBe("/codex");
    expect(config.refreshTokenUrl).toBe("http://127.0.0.1:9/token");
    expect(config.oauthClientId).toBe("app_x");
    expect(config.identity).toEqual({
      clientVersion: "0.170.1",
      originator: "mine",
      userAgent: "mine/1",
      residency: "us",
    });
    expect(config.network.noProxy).toEqual(["a.example", ".b.example"]);
    expect(config.network.extraCa).toContain("BEGIN CERTIFICATE");
  });

  it.each([
    [{ REQUESTS_CA_BUNDLE: "/missing.pem" }, "REQUESTS_CA_BUNDLE names /missing.pem, which cannot be read"],
    [{ SSL_CERT_FILE: "/no.pem" }, "SSL_CERT_FILE names /no.pem, which holds no PEM certificate"],
    [{ CODEX_API_PROXY_CLIENT_VERSION: "new" }, "CODEX_API_PROXY_CLIENT_VERSION must be a version"],
    [{ CODEX_API_PROXY_USER_AGENT: "a\nb" }, "CODEX_API_PROXY_USER_AGENT must be plain ASCII"],
    [{ CODEX_REFRESH_TOKEN_URL_OVERRIDE: "http://evil.example" }, "CODEX_REFRESH_TOKEN_URL_OVERRIDE must be an https"],
  ])("refuses %j", async (env, message) => {
    await expect(load({}, env as Record<string, string>)).rejects.toThrow(message);
  });

  it.each(["0.0.0.0", "::", "[::]", "192.168.1.5", "10.0.0.1", "my-laptop", "localhost.example.com", "0"])(
    "refuses to listen on %s without a key",
    async (host) => {
      await expect(load({ host })).rejects.toThrow(
        `--host ${host} exposes codex-api-proxy beyond localhost. Set --api-key`,
      );
      expect((await load({ host, api_key: ["k"] })).host).toBe(host);
    },
  );

  it.each(["127.0.0.1", "127.9.9.9", "localhost", "::1", "[::1]"])("listens on %s without one", async (host) => {
    expect((await load({ host })).host).toBe(host);
  });

  it("keeps keys as labelled hashes only", async () => {
    const config = await load({ api_key: ["gamma", "a,b:c"], api_key_file: "/keys" });
    expect(config.apiKeys).toEqual([
      { label: "default", sha256: await sha256Hex("gamma") },
      { label: "key-2", sha256: await sha256Hex("a,b:c") },
      { label: "laptop", sha256: await sha256Hex("alpha") },
      { label: "key-2", sha256: await sha256Hex("beta") },
    ]);
    const hash = await sha256Hex("gamma");
    expect((await load({ api_key: [`sha256:${hash}`] })).apiKeys).toEqual([{ label: "default", sha256: hash }]);
  });

  it.each([
    [{ api_key_file: "/nowhere" }, "--api-key-file /nowhere cannot be read"],
    [{ api_key_file: "/empty" }, "--api-key-file /empty holds no key"],
    [{ api_key: ["two words"] }, "--api-key must be printable ASCII without spaces"],
  ])("refuses %j", async (flags, message) => {
    await expect(load(flags)).rejects.toThrow(message);
  });

  it("reads aliases without touching prototypes", async () => {
    const { modelAliases } = await load({ model_alias: ["claude-*=gpt-6.1-sol", "__proto__=x"] });
    expect(modelAliases["claude-*"]).toBe("gpt-6.1-sol");
    expect(Object.keys(modelAliases)).toEqual(["claude-*", "__proto__"]);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
});
