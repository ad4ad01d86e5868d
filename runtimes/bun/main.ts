import { runCli } from "../../src/cli/index.ts";
import { createPlatform } from "./platform.ts";
import { raiseFetchLimit } from "./raise-fetch-limit.ts";

raiseFetchLimit();
await runCli(createPlatform());
