import type { Platform } from "../../src/platform.ts";
import { createSharedPlatform } from "../shared/platform.ts";
import { residentBytes } from "../shared/resident-bytes.ts";
import { serveBun } from "./serve.ts";

export function createPlatform(): Platform {
  return createSharedPlatform({
    runtime: { name: "bun", version: Bun.version },
    memory: { resident: residentBytes, trim: async () => Bun.gc(true) },
    runtimeArgs: process.execArgv,
    listen: serveBun,
  });
}
