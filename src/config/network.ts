import type { FileStore, UpstreamNetwork } from "../platform.ts";
import { ConfigError } from "./config-error.ts";

type Env = (name: string) => string | undefined;

const CA_VARIABLES = ["CODEX_API_PROXY_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"];

/** The variable that names the CA bundle in force, and its path. */
export function caBundle(env: Env): { variable: string; path: string } | undefined {
  for (const variable of CA_VARIABLES) {
    const path = env(variable)?.trim();
    if (path) return { variable, path };
  }
  return undefined;
}

/**
 * How upstream is reached: the proxy as resolved, `NO_PROXY`, and the CA bundle's text.
 * @throws ConfigError when the bundle cannot be read or holds no certificate.
 */
export async function readNetwork(files: FileStore, env: Env, proxyUrl: string | undefined): Promise<UpstreamNetwork> {
  const noProxy = (env("NO_PROXY") || env("no_proxy") || "")
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  return { proxyUrl, noProxy, extraCa: await readCa(files, env) };
}

async function readCa(files: FileStore, env: Env): Promise<string | undefined> {
  const bundle = caBundle(env);
  if (!bundle) return undefined;
  const text = await files.readText(bundle.path).catch(() => undefined);
  if (text === undefined) throw new ConfigError(`${bundle.variable} names ${bundle.path}, which cannot be read`);
  if (text.includes("-----BEGIN CERTIFICATE-----") || text.includes("-----BEGIN TRUSTED CERTIFICATE-----")) return text;
  throw new ConfigError(`${bundle.variable} names ${bundle.path}, which holds no PEM certificate`);
}
