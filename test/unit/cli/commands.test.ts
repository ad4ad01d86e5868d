import { describe, expect, it } from "vitest";
import { commandSummaries } from "../../../src/cli/index.ts";
import { OPTIONS } from "../../../src/config/options.ts";
import { VERSION } from "../../../src/config/version.ts";
import { createMachine } from "./support/machine.ts";

const machine = createMachine();

describe("the program", () => {
  it.each(["--version", "-V", "-v"])("%s tells its version", async (flag) => {
    expect(await machine.cli([flag])).toEqual({ code: 0, out: `codex-api-proxy ${VERSION}\n`, err: "" });
  });

  it.each([["--help"], ["-h"], ["help"]])("%s lists every command", async (flag) => {
    const { code, out } = await machine.cli([flag]);
    expect(code).toBe(0);
    for (const [name, summary] of commandSummaries()) expect(out).toContain(`${name} `.trimEnd() && summary);
    expect(out).not.toContain("renew-login");
  });

  it.each(commandSummaries().map(([name]) => name))("%s --help has examples and no stack trace", async (name) => {
    const { code, out, err } = await machine.cli([name, "--help"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain(`Usage: codex-api-proxy ${name}`);
    expect(out).toMatch(/Examples:\n {2}\S/);
    expect((await machine.cli(["help", name])).out).toBe(out);
  });

  it("start --help shows every option with its variables and default", async () => {
    const { out } = await machine.cli(["start", "--help"]);
    for (const { name, env } of OPTIONS) {
      expect(out).toContain(`${name.replaceAll("_", "-")}`);
      for (const variable of env) expect(out).toContain(variable);
    }
    expect(out).toContain("default: 8765");
  });

  it.each([
    [["strat"], 'ERROR: unknown command "strat"; did you mean start?\n'],
    [["frobnicate"], 'ERROR: unknown command "frobnicate"; see codex-api-proxy --help\n'],
    [["--port", "1"], "ERROR: --port needs a command before it, such as codex-api-proxy start --port\n"],
    [["help", "strat"], 'ERROR: unknown command "strat"; did you mean start?\n'],
    [["constructor"], 'ERROR: unknown command "constructor"; see codex-api-proxy --help\n'],
    [["completions"], "ERROR: completions takes bash, zsh or fish\n"],
  ])("%j is told in a line with exit code 2", async (args, message) => {
    expect(await machine.cli(args)).toEqual({ code: 2, out: "", err: message });
  });

  it("tells a failing disk in words", async () => {
    const broken = createMachine();
    broken.files.fail.append = Object.assign(new Error("EACCES: permission denied, open '/x'"), {
      code: "EACCES",
      path: "/x",
    });
    const err = "ERROR: no permission for /x; check its owner and mode, or choose another place\n";
    expect(await broken.cli(["start", "--demo"])).toEqual({ code: 1, out: "", err });
  });
});

describe("completions", () => {
  it.each(["bash", "zsh", "fish"])("for %s name every command and option", async (shell) => {
    const { code, out } = await machine.cli(["completions", shell]);
    expect(code).toBe(0);
    for (const [name] of commandSummaries()) expect(out).toContain(name);
    for (const { name } of OPTIONS) expect(out).toContain(name.replaceAll("_", "-"));
  });
});
