import type { Platform } from "../../src/platform.ts";
import { lazyFetch } from "../shared/lazy-fetch.ts";
import { createSharedPlatform } from "../shared/platform.ts";
import { takeEnvironment } from "../shared/proxy-environment.ts";
import { serveBun } from "./serve.ts";

export function createPlatform(): Platform {
  return createSharedPlatform(
    {
      runtime: { name: "bun", version: Bun.version },
      memory: { resident: () => process.memoryUsage.rss(), trim: async () => Bun.gc(true) },
      runtimeArgs: process.execArgv,
      createFetch: lazyFetch(async () => (await import("./fetch.ts")).createBunFetch),
      listen: serveBun,
    },
    takeEnvironment(),
  );
}
