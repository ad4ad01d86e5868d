import type { ClientIdentity } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { VERSION } from "./version.ts";

/** A current Codex version: the catalogue lists today's models only to one of these. The one place where it is written. */
const CODEX_VERSION = "0.169.0";
const ORIGINATOR = "codex_cli_rs";
const OS_NAMES: Readonly<Record<string, string>> = { linux: "Linux", darwin: "Mac OS", win32: "Windows" };
const ARCH_NAMES: Readonly<Record<string, string>> = { x64: "x86_64" };

/**
 * How this program names itself upstream, from its own variables.
 * @throws ConfigError when a value cannot be a header.
 */
export function readIdentity(
  env: (name: string) => string | undefined,
  os: { platform: string; arch: string },
): ClientIdentity {
  const read = (name: string): string | undefined => {
    const value = env(name)?.trim();
    if (value === undefined || value === "") return undefined;
    if (/^[\x20-\x7e]{1,512}$/.test(value)) return value;
    throw new ConfigError(`${name} must be plain ASCII text of at most 512 characters`);
  };
  const clientVersion = read("CODEX_API_PROXY_CLIENT_VERSION") ?? CODEX_VERSION;
  if (!/^\d+\.\d+\.\d+$/.test(clientVersion)) {
    throw new ConfigError(`CODEX_API_PROXY_CLIENT_VERSION must be a version such as ${CODEX_VERSION}`);
  }
  const originator = read("CODEX_INTERNAL_ORIGINATOR_OVERRIDE") ?? ORIGINATOR;
  const system = `${OS_NAMES[os.platform] ?? os.platform}; ${ARCH_NAMES[os.arch] ?? os.arch}`;
  return {
    clientVersion,
    originator,
    userAgent:
      read("CODEX_API_PROXY_USER_AGENT") ?? `${ORIGINATOR}/${clientVersion} (${system}) codex-api-proxy/${VERSION}`,
    residency: read("CODEX_API_PROXY_RESIDENCY"),
  };
}
