import type { Platform } from "../../src/platform.ts";
import { createSharedPlatform } from "../shared/platform.ts";
import { v8Memory } from "../shared/v8-memory.ts";

export function createPlatform(): Platform {
  return createSharedPlatform(
    {
      runtime: { name: "node", version: process.versions.node },
      memory: v8Memory,
      runtimeArgs: process.execArgv,
      loadFetch: async () => (await import("./fetch.ts")).createNodeFetch,
      listen: async (handler, options) => (await import("./serve.ts")).serveNode(handler, options),
    },
    { ...process.env },
  );
}
