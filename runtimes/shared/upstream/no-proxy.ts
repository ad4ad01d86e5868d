/**
 * True when `url` is to be reached directly though a proxy is configured. The same for all runtimes, whose own readings
 * of `NO_PROXY` differ.
 *
 * Entries: `*`; a host name, which also covers its subdomains; `.suffix` or `*.suffix`, subdomains only; an IP address,
 * IPv6 with or without brackets; a CIDR block of IPv4; each but the block with an optional `:port`.
 */
export function bypassesProxy(url: URL, noProxy: readonly string[]): boolean {
  const host = bareHost(url.hostname);
  const port = url.port || (url.protocol === "http:" ? "80" : "443");
  return noProxy.some((entry) => matches(entry.trim().toLowerCase(), host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === "") return false;
  if (entry === "*") return true;
  if (entry.includes("/")) return inBlock(host, entry);
  const { name, port: entryPort } = splitPort(entry);
  if (entryPort !== undefined && entryPort !== port) return false;
  if (name === "*") return true;
  if (host === name) return true;
  return isName(host) && host.endsWith(name.startsWith("*.") ? name.slice(1) : `.${name.replace(/^\./, "")}`);
}

function splitPort(entry: string): { name: string; port: string | undefined } {
  const bracketed = /^\[(.+)\](?::(\d+))?$/.exec(entry);
  if (bracketed) return { name: bracketed[1] ?? "", port: bracketed[2] };
  const named = /^([^:]+):(\d+)$/.exec(entry);
  return named ? { name: named[1] ?? "", port: named[2] } : { name: entry, port: undefined };
}

function bareHost(hostname: string): string {
  const host = hostname.toLowerCase();
  return host.startsWith("[") ? host.slice(1, -1) : host.replace(/\.$/, "");
}

/** An address is no subdomain of anything: `2.3.4` must not cover `1.2.3.4`. */
function isName(host: string): boolean {
  return ipv4(host) === undefined && !host.includes(":");
}

function inBlock(host: string, block: string): boolean {
  const [base, bits] = block.split("/");
  const address = ipv4(host);
  const network = ipv4(base ?? "");
  const length = Number(bits);
  if (address === undefined || network === undefined || !/^\d+$/.test(bits ?? "") || length > 32) return false;
  const size = 2 ** (32 - length);
  return Math.floor(address / size) === Math.floor(network / size);
}

function ipv4(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}
