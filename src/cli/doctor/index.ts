import type { ProxyConfig } from "../../config/config.ts";
import { codexHomeOf, loadConfig } from "../../config/load.ts";
import type { Settings } from "../../config/options.ts";
import type { Instance } from "../../daemon/instance.ts";
import type { Platform } from "../../platform.ts";
import type { Command } from "../command.ts";
import { settingsWithSaved } from "../own-server.ts";
import { withStdinKey } from "../stdin-key.ts";
import { bad, type Check, good, reason } from "./check.ts";
import type { LiveResult } from "./live.ts";
import { bindCheck, caCheck, portCheck, proxyCheck, runtimeCheck } from "./local-checks.ts";
import { loginChecks } from "./login-checks.ts";

/** `doctor`: checks everything that can be wrong; exit code 1 when something is. */
export const doctor: Command = {
  name: "doctor",
  summary: "check login, network, settings and upstream, and say what to do",
  settings: "all",
  flags: [
    { flag: "skip-upstream", kind: "boolean", help: "make no call to the proxy or upstream" },
    {
      flag: "live",
      kind: "boolean",
      help: "send one tiny request for each endpoint and feature (uses a little quota)",
    },
    { flag: "json", kind: "boolean", help: "as JSON" },
  ],
  examples: [
    "codex-api-proxy doctor",
    "codex-api-proxy doctor --skip-upstream --json",
    "codex-api-proxy doctor --live",
  ],
  async run({ platform, given, isSet }) {
    const skip = isSet("skip-upstream");
    const { settings, saved } = await settingsWithSaved(platform, await withStdinKey(platform, given));
    const print = isSet("json") ? () => {} : printer(platform);
    if (!isSet("json")) platform.write("stdout", "codex-api-proxy doctor\n");
    const { checks, config, instance } = await runChecks(platform, settings, saved !== undefined, skip, print);
    let live: LiveResult[] = [];
    if (isSet("live") && config) {
      const { liveTable, runLive } = await import("./live.ts");
      const progress = platform.isTerminal("stderr") ? progressOf(platform) : () => {};
      live = await runLive(platform, settings, config, instance, progress);
      if (!isSet("json")) platform.write("stdout", `\n${liveTable(live)}`);
    }
    const ok = [...checks, ...live].every((one) => one.ok);
    if (isSet("json")) {
      const report = { ok, checks, ...(isSet("live") ? { live } : {}) };
      platform.write("stdout", `${JSON.stringify(report, null, 2)}\n`);
    }
    return ok ? 0 : 1;
  },
};

async function runChecks(
  platform: Platform,
  settings: Settings,
  hasStateFile: boolean,
  skip: boolean,
  print: (check: Check) => void,
): Promise<{ checks: Check[]; config: ProxyConfig | undefined; instance: Instance | undefined }> {
  const checks: Check[] = [];
  const add = (...more: readonly Check[]): void => {
    checks.push(...more);
    for (const check of more) print(check);
  };
  add(
    good("config file", hasStateFile ? settings.state_file : `${settings.state_file}, not written yet: defaults apply`),
  );
  let config: ProxyConfig | undefined;
  try {
    // The bind has its own check.
    config = await loadConfig({ ...settings, host: "127.0.0.1" }, platform);
  } catch (error) {
    add(bad("settings", reason(error), "correct the setting that is named"));
  }
  if (settings.demo) add(good("auth file", "not needed: demo"));
  else add(...(await loginChecks(platform, codexHomeOf(platform))));
  add(await caCheck(platform));
  add(await proxyCheck(platform, settings, skip));
  add(good("models cache ttl", `${settings.models_cache_ttl} s`));
  add(bindCheck(settings, settings.api_key.length > 0 || settings.api_key_file !== undefined));
  const { check, ours } = await portCheck(platform, settings);
  add(check, runtimeCheck(platform));
  if (skip || settings.demo || !config) add(good("upstream models", "skipped"));
  else {
    const { upstreamChecks } = await import("./upstream-checks.ts");
    add(...(await upstreamChecks(platform, config)));
  }
  return { checks, config, instance: ours };
}

/** Each line as soon as it is known; coloured on a terminal only. */
function printer(platform: Platform): (check: Check) => void {
  const colour = platform.isTerminal("stdout") && platform.env("NO_COLOR") === undefined;
  const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  return ({ ok, label, detail, fix }) => {
    platform.write("stdout", `${ok ? paint(32, "✓") : paint(31, "✗")} ${label}: ${detail}\n`);
    if (fix !== undefined) platform.write("stdout", `  ${paint(33, `→ ${fix}`)}\n`);
  };
}

function progressOf(platform: Platform): (result: LiveResult) => void {
  return ({ endpoint, feature, ok, ms }) =>
    platform.write("stderr", `${ok ? "✓" : "✗"} ${endpoint} ${feature} (${(ms / 1000).toFixed(1)} s)\n`);
}
