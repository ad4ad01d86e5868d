import type { UpstreamNetwork } from "../../../src/platform.ts";
import { bypassesProxy } from "./no-proxy.ts";

/**
 * The proxy for `url`, or undefined for a direct connection. A proxy applies to https only, as `HTTPS_PROXY` says: plain
 * http is allowed to loopback alone, which a proxy on another host could not reach.
 */
export function proxyFor(url: URL, network: UpstreamNetwork): string | undefined {
  if (network.proxyUrl === undefined || url.protocol !== "https:") return undefined;
  return bypassesProxy(url, network.noProxy) ? undefined : network.proxyUrl;
}
