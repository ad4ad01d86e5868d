import { runCli } from "../../src/cli/index.ts";
import { createPlatform } from "./platform.ts";

await runCli(createPlatform());
