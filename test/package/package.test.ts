import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VERSION } from "../../src/config/version.ts";
import { ROOT, runtimes } from "../support/runtimes.ts";

const MAX_UNPACKED_BYTES = 1_000_000;
const INSTALL_MS = 120_000;

interface Packed {
  filename: string;
  unpackedSize: number;
  files: { path: string }[];
}

/** What users get: the packed tarball, and the program as it runs when that is installed. */
describe("the package", () => {
  const folder = mkdtempSync(join(tmpdir(), "codex-api-proxy-package-"));
  const home = join(folder, "app");
  const installed = (name: string) => join(home, "node_modules/codex-api-proxy", name);
  let packed: Packed;

  const run = (command: string, args: readonly string[], cwd: string): string => {
    const cache = process.env.npm_config_cache ?? join(process.env.HOME ?? folder, ".npm");
    const env = { ...process.env, HOME: folder, npm_config_cache: cache };
    return execFileSync(command, args, {
      cwd,
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      timeout: INSTALL_MS,
    });
  };

  beforeAll(() => {
    packed = JSON.parse(run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], ROOT))[0];
    mkdirSync(home);
    writeFileSync(join(home, "package.json"), '{"private":true,"type":"module"}');
    run("npm", ["install", "--no-fund", "--no-audit", "--ignore-scripts", join(folder, packed.filename)], home);
  }, INSTALL_MS);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("is small and holds the program, its documents and nothing else", () => {
    expect(packed.unpackedSize).toBeLessThan(MAX_UNPACKED_BYTES);
    const names = packed.files.map((file) => file.path);
    const needed = [
      "dist/bin.js",
      "dist/node.js",
      "dist/bun.js",
      "dist/deno.js",
      "dist/index.js",
      "README.md",
      "LICENSE",
      "SECURITY.md",
    ];
    expect(names).toEqual(expect.arrayContaining(needed));
    expect(names.filter((name) => /^(src|test|runtimes|scripts|\.)/.test(name))).toEqual([]);
  });

  it("has a manifest that publint finds nothing in, and one version", () => {
    run(process.execPath, [join(ROOT, "node_modules/publint/src/cli.js"), "--strict"], ROOT);
    const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect([manifest.version, manifest.scripts.postinstall, manifest.scripts.install]).toEqual([
      VERSION,
      undefined,
      undefined,
    ]);
  });

  it("runs as the installed command", () => {
    expect(run(join(home, "node_modules/.bin/codex-api-proxy"), ["--version"], home)).toContain(VERSION);
  });

  for (const runtime of runtimes) {
    it(`runs on ${runtime.name}, by its own entry and by the command's`, () => {
      for (const entry of [runtime.entry, "bin.js"]) {
        const [command, ...args] = runtime.command(installed(`dist/${entry}`), ["--version"]);
        expect(run(command, args, home)).toContain(VERSION);
      }
    });
  }

  it("can be embedded, with types", () => {
    const script = 'import { createApp } from "codex-api-proxy"; console.log(typeof createApp);';
    expect(run(process.execPath, ["--input-type=module", "-e", script], home).trim()).toBe("function");
    const { exports } = JSON.parse(readFileSync(installed("package.json"), "utf8"));
    expect(existsSync(installed(exports["."].types))).toBe(true);
  });
});
