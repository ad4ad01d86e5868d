import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { flagOf, OPTIONS, type SettingName } from "../../../src/config/options.ts";
import { readSettingName, resolveSettings } from "../../../src/config/settings.ts";
import { VERSION } from "../../../src/config/version.ts";

const home = "/home/user";
const none = () => undefined;

/** For each setting three texts that differ, and what they are read as. */
const SAMPLES: Record<SettingName, readonly (readonly [text: string, value: unknown])[]> = {
  host: texts("127.0.0.2", "127.0.0.3", "::1"),
  port: numbers(1, 2, 3),
  api_key: lists("a", "b", "c"),
  api_key_file: texts("/a", "/b", "/c"),
  proxy: [
    ["http://a:1", "http://a:1/"],
    ["b:2", "http://b:2/"],
    ["https://u:p@c:3/", "https://u:p@c:3/"],
  ],
  log_level: texts("debug", "warning", "error"),
  log_format: texts("json", "text", "json"),
  models_cache_ttl: numbers(0, 1, 2),
  fast: booleans(),
  reasoning_effort: texts("low", "high", "none"),
  verbosity: texts("low", "medium", "high"),
  service_tier: texts("priority", "fast", "default"),
  model_alias: lists("a=b", "c=d", "e*=f"),
  strict: booleans(),
  allow_host: lists("a", "b", "*"),
  allow_origin: lists("http://a", "http://b", "*"),
  chatgpt_base_url: [
    ["https://a/x/", "https://a/x"],
    ["http://127.0.0.1:1/b", "http://127.0.0.1:1/b"],
    ["http://localhost:2", "http://localhost:2"],
  ],
  openai_base_url: texts("https://a/v1", "http://[::1]:1/v1", "https://c"),
  body_limit: [
    ["64M", 64 * 2 ** 20],
    ["2048", 2048],
    ["1GiB", 2 ** 30],
  ],
  max_attempts: numbers(1, 2, 10),
  idle_timeout: numbers(0, 1, 2),
  store_limit: numbers(0, 1, 2),
  store_ttl: numbers(1, 2, 3),
  quota_warning: numbers(0, 50, 100),
  demo: booleans(),
  pid_file: texts("/a", "/b", "/c"),
  log_file: texts("/a", "/b", "/c"),
  state_file: texts("/a", "/b", "/c"),
};

describe("the table of options", () => {
  it("names each setting, flag and variable once", () => {
    const names = OPTIONS.map(({ name }) => name);
    const variables = OPTIONS.flatMap(({ env }) => env);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(variables).size).toBe(variables.length);
    expect(names.sort()).toEqual(Object.keys(SAMPLES).sort());
  });

  it.each(OPTIONS.map((option) => [option.name, option] as const))(
    "%s: option beats environment beats saved beats default",
    (name, option) => {
      const [first, second, third] = SAMPLES[name] as [Sample, Sample, Sample];
      const env = (variable: string) => (variable === option.env[0] ? second[0] : undefined);
      const saved = { [name]: third[1] };
      const all = { flags: { [name]: first[0] }, env, saved, homeDir: home };
      const read = (sources: Parameters<typeof resolveSettings>[0]) => {
        const { settings, from } = resolveSettings(sources);
        return [settings[name], from[name]];
      };
      expect(read(all)).toEqual([first[1], "option"]);
      expect(read({ ...all, flags: {} })).toEqual([second[1], "environment"]);
      const kept = read({ ...all, flags: {}, env: none });
      expect(kept[1]).toBe(option.saved ? "saved" : "default");
      if (option.saved) expect(kept[0]).toEqual(third[1]);
      expect(read({ ...all, flags: {}, unset: [name] })[1]).toBe("default");
      expect(read({ flags: {}, env: none, homeDir: home })[1]).toBe("default");
    },
  );

  it("takes the documented order of proxy variables, an empty one being none at all", () => {
    const proxy = (variables: Record<string, string>) =>
      resolveSettings({ flags: {}, env: (name) => variables[name], homeDir: home }).settings.proxy;
    expect(proxy({ CODEX_API_PROXY_HTTPS_PROXY: "http://a", HTTPS_PROXY: "http://b", https_proxy: "http://c" })).toBe(
      "http://a/",
    );
    expect(proxy({ HTTPS_PROXY: "http://b", https_proxy: "http://c" })).toBe("http://b/");
    expect(proxy({ HTTPS_PROXY: "", https_proxy: "http://c" })).toBe("http://c/");
    const given = resolveSettings({
      flags: { proxy: "" },
      env: (name) => (name === "HTTPS_PROXY" ? "http://b" : undefined),
      homeDir: home,
    });
    expect(given.settings.proxy).toBeUndefined();
  });

  it("knows a setting by flag, key and variable", () => {
    expect(["--log-level", "log-level", "log_level", "CODEX_PROXY_LOG_LEVEL"].map(readSettingName)).toEqual(
      Array(4).fill("log_level"),
    );
    expect(() => readSettingName("colour")).toThrow(/no setting "colour"; there are host, port/);
  });

  it("has flags with dashes", () => expect(flagOf("models_cache_ttl")).toBe("models-cache-ttl"));
});

describe("a value that cannot be used", () => {
  it.each([
    ["port", "70000", "--port must be a whole number from 0 to 65535"],
    ["port", "80a", "--port must be a whole number"],
    ["port", "-1", "--port must be a whole number"],
    ["log_level", "loud", "--log-level must be one of debug, info, warning, error"],
    ["reasoning_effort", "huge", "--reasoning-effort must be one of none, minimal, low"],
    ["chatgpt_base_url", "http://example.com", "--chatgpt-base-url must be an https:// URL (http:// only to loopback)"],
    ["openai_base_url", "ftp://x", "--openai-base-url must be an https:// URL"],
    ["openai_base_url", "https://user:pw@x", "--openai-base-url must be an https:// URL"],
    ["proxy", "socks5://u:geheim@h:1", "--proxy must be an http:// or https:// URL"],
    ["body_limit", "many", "--body-limit must be a size such as"],
    ["body_limit", "12", "--body-limit must be a whole number from 1024"],
    ["model_alias", "gpt-x", "--model-alias must be NAME=MODEL"],
    ["host", " ", "--host needs a value"],
  ] as const)("%s %s: %s", (name, value, message) => {
    const read = () => resolveSettings({ flags: { [name]: value }, env: none, homeDir: home });
    expect(read).toThrow(message);
    expect(read).not.toThrow(/geheim|pw/);
  });

  it("is named by the variable or the file it came from", () => {
    const env = (name: string) => (name === "CODEX_PROXY_FAST" ? "perhaps" : undefined);
    expect(() => resolveSettings({ flags: {}, env, homeDir: home })).toThrow("CODEX_PROXY_FAST must be true or false");
    const saved = { port: "x" };
    expect(() => resolveSettings({ flags: {}, env: none, saved, homeDir: home })).toThrow(
      "port in config.toml must be",
    );
  });
});

it("the version is package.json's", () => {
  const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
  expect(VERSION).toBe(version);
});

type Sample = readonly [string, unknown];

function texts(...values: string[]): Sample[] {
  return values.map((value) => [value, value]);
}
function numbers(...values: number[]): Sample[] {
  return values.map((value) => [String(value), value]);
}
function lists(...values: string[]): Sample[] {
  return values.map((value) => [value, [value]]);
}
function booleans(): Sample[] {
  return [
    ["true", true],
    ["0", false],
    ["yes", true],
  ];
}
