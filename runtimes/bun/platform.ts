import type { Platform } from "../../src/platform.ts";
import { PROXY_ENVIRONMENT } from "../shared/outbound-proxy.ts";
import { createSharedPlatform } from "../shared/platform.ts";
import { residentBytes } from "../shared/resident-bytes.ts";
import { serveBun } from "./serve.ts";

export function createPlatform(): Platform {
  return createSharedPlatform(
    {
      runtime: { name: "bun", version: Bun.version },
      memory: { resident: residentBytes, trim: async () => Bun.gc(true) },
      runtimeArgs: process.execArgv,
      loadFetch: async () => (await import("./fetch.ts")).createBunFetch,
      listen: serveBun,
    },
    takeEnvironment(),
  );
}

/**
 * The environment as it is now, with the proxy variables then taken out of the process: Bun's client would obey them over
 * the resolved configuration, `NO_PROXY` even over a proxy that is given to it.
 */
function takeEnvironment(): Record<string, string | undefined> {
  const environment = { ...process.env };
  for (const name of PROXY_ENVIRONMENT) delete process.env[name];
  return environment;
}
