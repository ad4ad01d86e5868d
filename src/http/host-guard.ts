import { ProxyError } from "../errors.ts";
import type { HeaderBag } from "../platform.ts";

/** What the server answers to, beside loopback names. */
export interface HostRules {
  /** The address it is bound to. */
  readonly host: string;
  /** Further host names; `*` allows all. */
  readonly allowedHosts: readonly string[];
  /** Browser origins that may call. */
  readonly allowedOrigins: readonly string[];
}

/** Another port of this machine is the same site to a browser, and another origin. */
const FOREIGN_SITES = new Set(["cross-site", "same-site"]);

/**
 * Keeps web pages out. A page can make the user's browser call a loopback port: directly, then its `Origin` tells; or
 * by DNS rebinding, then `Host` names the page's own domain. Programs send no `Origin` (Node's fetch adds
 * `sec-fetch-mode` but no `Origin`), so they are not touched.
 * @param urlHost the address's own, which counts before `Host` where a request states it (RFC 9112, 3.2.2). It stands in for a
 *   missing `Host`, which only a request made inside the program lacks.
 * @throws ProxyError `forbidden`.
 */
export function guardHost(headers: HeaderBag, rules: HostRules, urlHost: string | null = null): void {
  const host = headers.get("host") ?? urlHost;
  const refused = [host ?? "", urlHost ?? host ?? ""].find((name) => !hostAllowed(name, rules));
  if (refused !== undefined) {
    throw new ProxyError(
      "forbidden",
      `host ${JSON.stringify(refused)} is not allowed; start with --allow-host NAME if this name is yours`,
      {
        code: "host_not_allowed",
      },
    );
  }
  const origin = headers.get("origin");
  if (origin !== null && !originAllowed(origin, rules)) {
    throw new ProxyError(
      "forbidden",
      `origin ${JSON.stringify(origin)} is not allowed; start with --allow-origin ORIGIN if this page is yours`,
      {
        code: "origin_not_allowed",
      },
    );
  }
  if (origin === null && FOREIGN_SITES.has(headers.get("sec-fetch-site") ?? "")) {
    throw new ProxyError("forbidden", "requests from other web sites are not allowed", { code: "origin_not_allowed" });
  }
}

export function originAllowed(origin: string, rules: HostRules): boolean {
  return rules.allowedOrigins.includes("*") || rules.allowedOrigins.includes(origin);
}

function hostAllowed(value: string, rules: HostRules): boolean {
  const name = hostName(value);
  if (name === undefined) return false;
  if (isLoopback(name) || rules.allowedHosts.includes("*")) return true;
  // Bound to every address, the server cannot tell its own addresses; a literal address is no rebinding, a name may be.
  const wildcard = rules.host === "0.0.0.0" || rules.host === "::";
  if (wildcard && isAddress(name)) return true;
  return [rules.host, ...rules.allowedHosts].some((allowed) => bare(allowed) === name);
}

/** The name of a `Host` header without its port, lower-case, without IPv6 brackets; undefined when it is malformed. */
function hostName(value: string): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]/@\s]+)(?::\d{1,5})?$/i.exec(value);
  return match?.[1] === undefined ? undefined : bare(match[1]);
}

const bare = (host: string): string => host.toLowerCase().replace(/^\[|\]$|\.$/g, "");

/** True for `localhost`, its subdomains, 127.0.0.0/8 and ::1. */
export function isLoopback(host: string): boolean {
  const name = bare(host);
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}

function isAddress(name: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(name) || name.includes(":");
}
