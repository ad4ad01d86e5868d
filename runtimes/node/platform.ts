import type { Platform } from "../../src/platform.ts";
import { createSharedPlatform } from "../shared/platform.ts";
import { residentBytes } from "../shared/resident-bytes.ts";
import { collectGarbage } from "../shared/v8-memory.ts";

export function createPlatform(): Platform {
  return createSharedPlatform(
    {
      runtime: { name: "node", version: process.versions.node },
      memory: { resident: residentBytes, trim: async () => collectGarbage() },
      runtimeArgs: process.execArgv,
      loadFetch: async () => (await import("./fetch.ts")).createNodeFetch,
      listen: async (handler, options) => (await import("./serve.ts")).serveNode(handler, options),
    },
    { ...process.env },
  );
}
