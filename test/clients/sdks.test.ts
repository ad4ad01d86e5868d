import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runtimes } from "../support/runtimes.ts";
import { runChecks, type Stack, startStack } from "./stack.ts";

const SCRIPTS = ["openai.mjs", "anthropic.mjs", "ai-sdk.mjs", "agents.mjs", "python_sdks.py"];
/** One model of each lane. */
const MODELS = ["gpt-5.5", "gpt-6.1-sol"];
const LEAST_CHECKS = 4;

describe.each(runtimes.filter((runtime) => runtime.name !== "node24"))(
  "SDKs against the server on $name",
  (runtime) => {
    let stack: Stack;
    beforeAll(async () => {
      stack = await startStack(runtime);
    });
    afterAll(() => stack?.stop());

    describe.each(MODELS)("%s", (model) => {
      it.each(SCRIPTS)("%s", async (script) => {
        stack.upstream.reset();
        const checks = await runChecks(script, stack.server.url, model);
        expect(checks.filter((check) => check.error !== undefined)).toEqual([]);
        expect(checks.length).toBeGreaterThanOrEqual(LEAST_CHECKS);
      });
    });
  },
);
