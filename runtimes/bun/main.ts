import { raiseFetchLimit } from "./raise-fetch-limit.ts";

// The rest is loaded by the process that stays.
raiseFetchLimit();
const { runCli } = await import("../../src/cli/index.ts");
const { createPlatform } = await import("./platform.ts");
await runCli(createPlatform());
