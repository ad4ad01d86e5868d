import { loadConfig } from "../config/load.ts";
import type { Settings } from "../config/options.ts";
import { findInstance, type Instance } from "../daemon/instance.ts";
import type { Platform } from "../platform.ts";
import { type Command, STATE_SETTINGS } from "./command.ts";
import { endpointLines, publicUrl } from "./endpoints.ts";
import { ownServer, settingsWithSaved } from "./own-server.ts";
import { duration, quotaLines, readQuota, type ShownQuota } from "./quota-text.ts";

/** `status`: exit code 0 when the server runs, 1 when not. */
export const status: Command = {
  name: "status",
  summary: "show whether the server runs, and where",
  settings: STATE_SETTINGS,
  flags: [
    { flag: "verbose", kind: "boolean", help: "with files, runtime and the plan's windows as last seen" },
    { flag: "refresh", kind: "boolean", help: "ask upstream for the plan's windows now" },
    { flag: "json", kind: "boolean", help: "as JSON" },
  ],
  examples: ["codex-api-proxy status", "codex-api-proxy status --verbose", "codex-api-proxy status --json --refresh"],
  async run({ platform, given, isSet }) {
    const { settings } = await settingsWithSaved(platform, given);
    const instance = await findInstance(platform, settings.pid_file);
    const refresh = isSet("refresh");
    const verbose = isSet("verbose") || isSet("json") || refresh;
    const quota = verbose ? await findQuota(platform, settings, instance, refresh) : undefined;
    const text = isSet("json")
      ? `${JSON.stringify(toJson(platform, settings, instance, quota), null, 2)}\n`
      : toText(platform, settings, instance, quota, verbose);
    platform.write("stdout", text);
    return instance ? 0 : 1;
  },
};

async function findQuota(
  platform: Platform,
  settings: Settings,
  instance: Instance | undefined,
  refresh: boolean,
): Promise<ShownQuota | string | undefined> {
  try {
    if (refresh) {
      const { askUsage } = await import("./usage.ts");
      return (await askUsage(platform, await loadConfig(settings, platform))) ?? "none: an API key has no plan";
    }
    return instance && readQuota((await ownServer(platform, instance).get("/quota")).json);
  } catch (error) {
    return `not known: ${(error as Error).message}`;
  }
}

function toText(
  platform: Platform,
  settings: Settings,
  instance: Instance | undefined,
  quota: ShownQuota | string | undefined,
  verbose: boolean,
): string {
  const now = platform.clock.now();
  const lines = instance
    ? [
        `codex-api-proxy running with pid ${instance.pid}`,
        endpointLines(instance.host, instance.port).trimEnd(),
        ...(verbose
          ? [
              `config: ${settings.state_file}`,
              `log: ${settings.log_file}`,
              `runtime: ${instance.runtime}`,
              `version: ${instance.version}`,
              `uptime: ${duration((now - instance.startedAt) / 1000)}`,
            ]
          : []),
      ]
    : ["codex-api-proxy stopped", ...(verbose ? [`config: ${settings.state_file}`, `log: ${settings.log_file}`] : [])];
  if (typeof quota === "string") lines.push(`quota: ${quota}`);
  else if (quota) lines.push("quota:", ...quotaLines(quota, now).map((line) => `  ${line}`));
  else if (verbose && instance) lines.push("quota: not seen yet; it is told with the first answer, or by --refresh");
  return `${lines.join("\n")}\n`;
}

function toJson(
  platform: Platform,
  settings: Settings,
  instance: Instance | undefined,
  quota: ShownQuota | string | undefined,
): object {
  const files = { config: settings.state_file, log: settings.log_file, pid_file: settings.pid_file };
  const windows = typeof quota === "object" ? quota : null;
  if (!instance) return { running: false, ...files, quota: windows };
  const base = `${publicUrl(instance.host, instance.port)}/v1`;
  return {
    running: true,
    pid: instance.pid,
    version: instance.version,
    runtime: instance.runtime,
    uptime_seconds: (platform.clock.now() - instance.startedAt) / 1000,
    base_url: base,
    chat_completions_url: `${base}/chat/completions`,
    ...files,
    quota: windows,
    ...(typeof quota === "string" ? { quota_error: quota } : {}),
  };
}
