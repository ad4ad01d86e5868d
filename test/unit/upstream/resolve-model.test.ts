import { describe, expect, test } from "vitest";
import { clampEffort, lowestEffort } from "../../../src/upstream/effort.ts";
import { resolveModel } from "../../../src/upstream/resolve-model.ts";
import { MODELS } from "./support.ts";

describe("resolveModel", () => {
  test.each([
    ["gpt-5.5", "gpt-5.5", undefined],
    ["codex-auto-review", "codex-auto-review", undefined],
    ["gpt-6.1-sol-high", "gpt-6.1-sol", "high"],
    ["gpt-6.1-sol-xhigh", "gpt-6.1-sol", "xhigh"],
    ["gpt-6.1-sol(high)", "gpt-6.1-sol", "high"],
    ["gpt-6.1-sol (max)", "gpt-6.1-sol", "max"],
    ["auto", "gpt-6.1-sol", undefined],
    ["auto-low", "gpt-6.1-sol", "low"],
    ["claude-opus-4-6", "gpt-6.1-sol", undefined],
    ["claude-sonnet-4-5-20250929", "gpt-6.1-sol", undefined],
    ["claude-haiku-4-5-20251001", "gpt-6-luna", undefined],
    ["haiku", "gpt-6-luna", undefined],
    ["claude-opus-4-6[1m]", "gpt-6.1-sol", undefined],
    ["gpt-5.5[1m]", "gpt-5.5", undefined],
    ["gpt-5.5-2026-04-23", "gpt-5.5", undefined],
    ["claude-opus-4-6-low", "gpt-6.1-sol", "low"],
    ["claude-haiku-4-5 (max)", "gpt-6-luna", "max"],
    ["claude-gpt-6.1-sol", "gpt-6.1-sol", undefined],
    ["claude-gpt-5.5-high[1m]", "gpt-5.5", "high"],
    ["gpt-hidden-high", "gpt-hidden-high", undefined],
    ["gpt-hidden(low)", "gpt-hidden", "low"],
    ["gpt-hidden", "gpt-hidden", undefined],
    ["gpt-5.5(strong)", "gpt-5.5(strong)", undefined],
  ])("%s is %s at %s", (name, slug, effort) => {
    expect(resolveModel(name, MODELS)).toEqual({ slug, effort });
  });

  test("aliases come first; exact before patterns; their target may have a suffix", () => {
    const aliases = { "claude-*": "gpt-6-sol", "claude-opus-4-6": "gpt-5.5-low", "*.ai/x+": "gpt-5.5", loop: "loop" };
    expect(resolveModel("claude-opus-4-6", MODELS, aliases)).toEqual({ slug: "gpt-5.5", effort: "low" });
    expect(resolveModel("claude-haiku-4-5", MODELS, aliases).slug).toBe("gpt-6-sol");
    expect(resolveModel("claude-haiku-4-5-high", MODELS, aliases)).toEqual({ slug: "gpt-6-sol", effort: "high" });
    expect(resolveModel("my.ai/x+", MODELS, aliases).slug).toBe("gpt-5.5");
    expect(resolveModel("myxai/xx", MODELS, aliases).slug).toBe("myxai/xx");
    expect(resolveModel("loop", MODELS, aliases).slug).toBe("loop");
  });

  test("without a catalogue names stay as they are", () => {
    for (const name of ["auto", "claude-opus-4-6", "gpt-4o-high", "gpt-4o"]) {
      expect(resolveModel(name, [])).toEqual({ slug: name, effort: undefined });
    }
  });

  test("haiku falls to the last listed model when no light family is known", () => {
    const models = MODELS.filter((model) => !model.slug.includes("luna"));
    expect(resolveModel("claude-haiku-9", models).slug).toBe("gpt-5.5");
  });
});

describe("clampEffort", () => {
  const usual = ["low", "medium", "high", "xhigh", "max", "ultra"];
  test.each([
    ["high", usual, "high"],
    ["ultra", usual, "xhigh"],
    ["ultra", ["low", "medium"], "medium"],
    ["minimal", usual, "low"],
    ["none", usual, "low"],
    ["none", ["none", "low"], "none"],
    ["max", ["low", "medium", "high", "xhigh"], "xhigh"],
    ["minimal", [], "low"],
    ["max", [], "max"],
    ["odd", usual, "odd"],
  ])("%s of %j is %s", (wanted, levels, sent) => {
    expect(clampEffort(wanted, levels)).toBe(sent);
  });

  test("the lowest level is the catalogue's", () => {
    expect(lowestEffort(["high", "medium", "ultra"])).toBe("medium");
    expect(lowestEffort([])).toBe("low");
  });
});
