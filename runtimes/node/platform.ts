import type { Platform } from "../../src/platform.ts";
import { createSharedPlatform } from "../shared/platform.ts";
import { residentBytes } from "../shared/resident-bytes.ts";
import { type Collection, collectGarbage, limitYoungGeneration } from "../shared/v8-memory.ts";

/** From Node 22 on V8 keeps freed pages of a plain collection, tens of megabytes of them, for later. */
const COLLECTION: Collection | undefined =
  Number.parseInt(process.versions.v8, 10) < 12
    ? undefined
    : { type: "major", execution: "sync", flavor: "last-resort" };

export function createPlatform(): Platform {
  return createSharedPlatform({
    runtime: { name: "node", version: process.versions.node },
    memory: {
      resident: residentBytes,
      trim: async () => collectGarbage(COLLECTION),
      restrain: limitYoungGeneration,
    },
    runtimeArgs: process.execArgv,
    listen: async (handler, options) => (await import("./serve.ts")).serveNode(handler, options),
  });
}
