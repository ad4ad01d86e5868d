import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runtimes } from "../support/runtimes.ts";
import { CHECKS } from "./checks.ts";
import { type Check, runChecks, type Stack, startStack } from "./stack.ts";

/** One model of each lane. */
const MODELS = ["gpt-5.5", "gpt-6.1-sol"];
/** Node 24 runs the same adapter as Node 20; the SDKs themselves run on it. */
const servers = runtimes.filter((runtime) => runtime.name !== "node24");

describe.each(servers)("SDKs against the server on $name", (runtime) => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack(runtime);
  });
  afterAll(() => stack?.stop());

  describe.each(MODELS)("%s", (model) => {
    describe.each(Object.entries(CHECKS))("%s", (script, names) => {
      let checks: Check[];
      beforeAll(async () => {
        stack.upstream.reset();
        checks = await runChecks(script, stack.server.url, model);
      });

      it.each(names)("%s", (name) => {
        expect(checks.find((check) => check.name === name)).toEqual({ name });
      });

      it("runs these checks, makes tool round trips and sends nothing that upstream refuses", () => {
        expect(checks.map((check) => check.name)).toEqual(names);
        stack.expectCleanUpstream();
        stack.expectToolRoundTrip();
      });
    });
  });
});
