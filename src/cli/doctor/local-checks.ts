import { caBundle, readNetwork } from "../../config/network.ts";
import type { Settings } from "../../config/options.ts";
import { findInstance, type Instance } from "../../daemon/instance.ts";
import { isLoopback } from "../../http/host-guard.ts";
import type { Platform } from "../../platform.ts";
import { withoutPassword } from "../start.ts";
import { bad, type Check, good, reason } from "./check.ts";

/** Oldest versions that this program is tested on. */
const OLDEST: Readonly<Record<string, string>> = { node: "20.18.1", bun: "1.2.0", deno: "2.0.0" };
const REACH_MS = 5_000;

export function runtimeCheck({ runtime }: Platform): Check {
  const oldest = OLDEST[runtime.name] ?? "0";
  const detail = `${runtime.name} ${runtime.version}`;
  if (compare(runtime.version, oldest) >= 0) return good("runtime", detail);
  return bad("runtime", `${detail} is too old`, `install ${runtime.name} ${oldest} or newer`);
}

function compare(one: string, other: string): number {
  const [a, b] = [one, other].map((version) => version.split(/[.-]/).map(Number)) as [number[], number[]];
  for (let at = 0; at < 3; at++) {
    const difference = (a[at] || 0) - (b[at] || 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export function bindCheck(settings: Settings, hasKey: boolean): Check {
  const at = `${settings.host}:${settings.port}`;
  if (isLoopback(settings.host)) return good("local bind", `${at}, this machine only`);
  if (hasKey) return good("local bind", `${at}, reachable by others with a key`);
  return bad("local bind", `${at} is open to others without a key`, "set --api-key, or --host 127.0.0.1");
}

/** Free, or held by our own server. */
export async function portCheck(platform: Platform, settings: Settings): Promise<{ check: Check; ours?: Instance }> {
  const ours = await findInstance(platform, settings.pid_file);
  if (ours) return { check: good("port", `${ours.port}, held by codex-api-proxy with pid ${ours.pid}`), ours };
  try {
    const { host, port } = settings;
    const listener = await platform.listen(() => ({ status: 503, headers: {}, body: null }), { host, port });
    await listener.close(0);
    return { check: good("port", `${port === 0 ? "any" : port}, free`) };
  } catch (error) {
    return {
      check: bad("port", reason(error), "stop the program that holds it, or choose another with --port"),
    };
  }
}

export async function caCheck({ files, env }: Platform): Promise<Check> {
  const bundle = caBundle(env);
  if (!bundle) return good("CA bundle", "<none>, public roots");
  try {
    const { extraCa = "" } = await readNetwork(files, env, undefined);
    const count = extraCa.split("-----BEGIN ").length - 1;
    return good("CA bundle", `${bundle.path} (${bundle.variable}), ${count} certificates beside the public roots`);
  } catch (error) {
    return bad("CA bundle", reason(error), `correct or unset ${bundle.variable}`);
  }
}

/** Any answer of the proxy's own port shows that it is there; what it lets through, the catalogue shows. */
export async function proxyCheck(platform: Platform, settings: Settings, skip: boolean): Promise<Check> {
  const label = "upstream proxy";
  if (settings.proxy === undefined) return good(label, "<none>, direct connection");
  const shown = withoutPassword(settings.proxy);
  if (skip) return good(label, `${shown}, not tried`);
  const url = new URL(settings.proxy);
  url.username = "";
  url.password = "";
  try {
    // A bundle that cannot be read is told by its own check.
    const extraCa = (await readNetwork(platform.files, platform.env, undefined).catch(() => undefined))?.extraCa;
    const fetch = platform.createFetch({ proxyUrl: undefined, noProxy: [], extraCa });
    const response = await fetch(url.href, { method: "GET", headers: {}, signal: AbortSignal.timeout(REACH_MS) });
    response.discard();
    return good(label, `${shown}, reachable`);
  } catch (error) {
    // Some close the connection on what is not a CONNECT: they are there too.
    if (/reset|closed|socket|hang up|parse/i.test(reason(error))) return good(label, `${shown}, reachable`);
    return bad(label, `${shown} cannot be reached: ${reason(error)}`, 'check its address, or use --proxy "" for none');
  }
}
