import { ProxyError } from "../../src/errors.ts";
import type { ListenOptions } from "../../src/platform.ts";

const REASONS: Record<string, (address: ListenOptions) => string> = {
  EADDRINUSE: ({ host, port }) => `port ${port} on ${host} is already in use; choose another with --port`,
  EACCES: ({ host, port }) => `no permission to listen on ${host} port ${port}; ports below 1024 are reserved`,
  EADDRNOTAVAIL: ({ host }) => `${host} is not an address of this machine; choose another with --host`,
  ENOTFOUND: ({ host }) => `the host name ${host} does not resolve; choose another with --host`,
};

/** Deno's error classes, by the system error that each stands for. */
const DENO_NAMES: Record<string, string> = {
  AddrInUse: "EADDRINUSE",
  PermissionDenied: "EACCES",
  AddrNotAvailable: "EADDRNOTAVAIL",
};

/** A failed bind as an error for a person; `code` is the system's, the same on all runtimes. */
export function toListenError(error: unknown, address: ListenOptions): ProxyError {
  const { code: systemCode, name } = error as { code?: unknown; name?: string };
  const code = typeof systemCode === "string" ? systemCode : (DENO_NAMES[name ?? ""] ?? "ELISTEN");
  const reason = REASONS[code]?.(address) ?? `cannot listen on ${address.host} port ${address.port} (${code})`;
  return new ProxyError("internal", reason, { code, cause: error });
}

/** `::1` from `[::1]`: the form that the sockets of all runtimes take. */
export function socketHost(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}
