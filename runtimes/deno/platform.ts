import type { Platform } from "../../src/platform.ts";
import { createSharedPlatform } from "../shared/platform.ts";
import { takeEnvironment } from "../shared/proxy-environment.ts";
import { v8Memory } from "../shared/v8-memory.ts";
import { serveDeno } from "./serve.ts";

export function createPlatform(): Platform {
  return createSharedPlatform(
    {
      runtime: { name: "deno", version: Deno.version.deno },
      memory: v8Memory,
      // Deno does not tell the permissions it was started with; starting itself again needs these.
      runtimeArgs: ["run", "--allow-all", "--no-config"],
      loadFetch: async () => (await import("./fetch.ts")).createDenoFetch,
      listen: serveDeno,
      writeAsync,
    },
    takeEnvironment(),
  );
}

async function writeAsync(stream: "stdout" | "stderr", text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length; ) sent += await Deno[stream].write(bytes.subarray(sent));
}
