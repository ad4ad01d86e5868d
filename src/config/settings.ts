import { ConfigError } from "./config-error.ts";
import { flagOf, OPTIONS, type Option, type SettingName, type Settings } from "./options.ts";
import { readValue } from "./read-value.ts";

/** Where a value came from; `saved` is config.toml. */
export type Source = "option" | "environment" | "saved" | "default";

/** Values by setting name: texts from the command line, typed ones from config.toml. */
export type GivenValues = Readonly<Partial<Record<SettingName, unknown>>>;

export interface SettingSources {
  readonly flags: GivenValues;
  readonly env: (name: string) => string | undefined;
  /** Only restart, status and doctor go by it. */
  readonly saved?: GivenValues;
  readonly homeDir: string;
  /** Settings that fall back to their default whatever the environment and config.toml say. */
  readonly unset?: readonly SettingName[];
}

export interface ResolvedSettings {
  readonly settings: Settings;
  readonly from: Readonly<Record<SettingName, Source>>;
}

/**
 * Option > environment > saved config > default, each value checked.
 * @throws ConfigError.
 */
export function resolveSettings(sources: SettingSources): ResolvedSettings {
  const settings: Record<string, unknown> = {};
  const from: Record<string, Source> = {};
  for (const option of OPTIONS) {
    const { value, source } = resolve(option, sources);
    settings[option.name] = value;
    from[option.name] = source;
  }
  return { settings: settings as unknown as Settings, from: from as Record<SettingName, Source> };
}

function resolve(option: Option, sources: SettingSources): { value: unknown; source: Source } {
  const { flags, env, saved = {}, homeDir, unset = [] } = sources;
  const flag = flags[option.name];
  if (flag !== undefined) return { value: readValue(option, flag, `--${flagOf(option.name)}`), source: "option" };
  if (!unset.includes(option.name)) {
    for (const name of option.env) {
      const value = env(name);
      // An empty variable is one that was not set: that is how service files and shells unset one.
      if (value !== undefined && value.trim() !== "")
        return { value: readValue(option, value, name), source: "environment" };
    }
    const kept = saved[option.name];
    if (kept !== undefined && option.saved) {
      return { value: readValue(option, kept, `${option.name} in config.toml`), source: "saved" };
    }
  }
  return { value: defaultOf(option, homeDir), source: "default" };
}

/** Private folder of pid file, log and config.toml. */
export const stateFolder = (homeDir: string): string => `${homeDir}/.codex-api-proxy`;

function defaultOf(option: Option, homeDir: string): unknown {
  switch (option.name) {
    case "pid_file":
      return `${stateFolder(homeDir)}/codex-api-proxy.pid`;
    case "log_file":
      return `${stateFolder(homeDir)}/codex-api-proxy.log`;
    case "state_file":
      return `${stateFolder(homeDir)}/config.toml`;
    default:
      return option.type === "list" || option.type === "secrets" ? [] : option.default;
  }
}

/**
 * The setting that a user named for `--unset`, as flag, key or variable.
 * @throws ConfigError when there is none.
 */
export function readSettingName(text: string): SettingName {
  const name = text.replace(/^--/, "").replaceAll("-", "_").toLowerCase();
  const option = OPTIONS.find((one) => one.name === name || one.env.includes(text));
  if (option) return option.name;
  throw new ConfigError(
    `there is no setting ${JSON.stringify(text)}; there are ${OPTIONS.map((o) => o.name).join(", ")}`,
  );
}
