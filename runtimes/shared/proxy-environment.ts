import { PROXY_ENVIRONMENT } from "./outbound-proxy.ts";

/**
 * The environment as it is now, with the proxy variables then taken out of the process: Bun's and Deno's clients would
 * obey them over the resolved configuration, `NO_PROXY` even over a proxy that is given to them.
 */
export function takeEnvironment(): Record<string, string | undefined> {
  const environment = { ...process.env };
  for (const name of PROXY_ENVIRONMENT) delete process.env[name];
  return environment;
}
