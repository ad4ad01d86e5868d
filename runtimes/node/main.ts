import { setFlagsFromString } from "node:v8";
import { runCli } from "../../src/cli/index.ts";
import { createPlatform } from "./platform.ts";

// The HTTP client's parser is the one WebAssembly module. Optimizing it takes V8 from Node 22 on 10 MB that it never gives
// back, and some CPU, for nothing that can be measured: the budget is what runs before V8 does so.
setFlagsFromString("--wasm-tiering-budget=1000000000");

await runCli(createPlatform());
