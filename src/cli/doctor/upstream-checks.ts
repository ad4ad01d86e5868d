import type { ProxyConfig } from "../../config/config.ts";
import { silentLog } from "../../observability/log.ts";
import { createMetricsRegistry } from "../../observability/metrics-registry.ts";
import type { Platform, UpstreamFetch } from "../../platform.ts";
import type { CatalogueModel } from "../../upstream/catalogue.ts";
import { createCatalogue } from "../../upstream/models.ts";
import { quotaLines } from "../quota-text.ts";
import { askUsage, commandSession } from "../usage.ts";
import { bad, type Check, good, reason } from "./check.ts";

/** A token is valid within this of its times; upstream allows little more. */
const MAX_SKEW_SECONDS = 120;

/** What a call upstream shows: the catalogue with its lanes, the clock, the plan's windows. */
export async function upstreamChecks(platform: Platform, config: ProxyConfig): Promise<Check[]> {
  const dates: number[] = [];
  const plain = platform.createFetch(config.network);
  const fetch: UpstreamFetch = async (url, request) => {
    const response = await plain(url, request);
    const date = Date.parse(response.headers.get("date") ?? "");
    if (!Number.isNaN(date)) dates.push((date - platform.clock.now()) / 1000);
    return response;
  };
  const models = await modelsCheck(platform, config, fetch);
  return [models, skewCheck(dates), ...(models.ok ? [await quotaCheck(platform, config)] : [])];
}

async function modelsCheck(platform: Platform, config: ProxyConfig, fetch: UpstreamFetch): Promise<Check> {
  const label = "upstream models";
  const session = commandSession(platform, config, fetch);
  const { clock } = platform;
  const catalogue = createCatalogue({
    config,
    fetch,
    session,
    clock,
    log: silentLog,
    metrics: createMetricsRegistry(clock.now),
  });
  try {
    const platformList = await catalogue.platformList();
    if (platformList) {
      return good(label, `reachable, ${Array.isArray(platformList.data) ? platformList.data.length : 0} models`);
    }
    const models = (await catalogue.models()).filter(({ listed }) => listed);
    if (models.length > 0) return good(label, `reachable, ${models.length} models${lanes(models)}`);
    return bad(
      label,
      "reachable, 0 models",
      "set CODEX_API_PROXY_CLIENT_VERSION to the version of a current Codex CLI",
    );
  } catch (error) {
    return bad(label, reason(error), "see the checks above: login, proxy, CA bundle, clock");
  }
}

function lanes(models: readonly CatalogueModel[]): string {
  const lite = models.filter(({ usesResponsesLite }) => usesResponsesLite).length;
  return ` (${models.length - lite} classic, ${lite} lite)`;
}

function skewCheck(dates: readonly number[]): Check {
  const label = "clock";
  const skew = dates[0];
  if (skew === undefined) return good(label, "not compared: upstream told no time");
  const seconds = Math.round(Math.abs(skew));
  if (seconds <= MAX_SKEW_SECONDS) return good(label, `${seconds} s from upstream's`);
  const detail = `${seconds} s ${skew > 0 ? "behind" : "ahead of"} upstream's: tokens seem expired, or are not renewed in time`;
  return bad(label, detail, "set this machine's clock, for example by turning on network time");
}

async function quotaCheck(platform: Platform, config: ProxyConfig): Promise<Check> {
  const label = "quota";
  try {
    const quota = await askUsage(platform, config);
    if (!quota) return good(label, "none: an API key has no plan");
    const lines = quotaLines(quota, platform.clock.now()).join("; ");
    const full = [quota.primary, quota.secondary].some((window) => window !== null && window.used_percent >= 100);
    if (!full) return good(label, lines);
    return bad(label, lines, "wait until the window opens again, or use another model or an API key");
  } catch (error) {
    return good(label, `not told: ${reason(error)}`);
  }
}
