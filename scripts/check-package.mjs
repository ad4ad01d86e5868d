// Checks the package that users get: its size, what is in it, its manifest, and that the installed tarball runs on each
// runtime. Needs `npm run build` to have run.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const MAX_UNPACKED_BYTES = 1_000_000;
const root = resolve(import.meta.dirname, "..");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const folder = mkdtempSync(join(tmpdir(), "codex-api-proxy-package-"));

try {
  const [packed] = JSON.parse(npm(["pack", "--json", "--ignore-scripts", "--pack-destination", folder], root));
  check(
    packed.unpackedSize < MAX_UNPACKED_BYTES,
    `unpacked size ${packed.unpackedSize} is under ${MAX_UNPACKED_BYTES}`,
  );
  const names = packed.files.map((file) => file.path);
  for (const needed of [
    "dist/bin.js",
    "dist/node.js",
    "dist/bun.js",
    "dist/deno.js",
    "dist/index.js",
    "README.md",
    "LICENSE",
  ]) {
    check(names.includes(needed), `contains ${needed}`);
  }
  const stray = names.filter((name) => /^(src|test|runtimes|scripts|\.)/.test(name));
  check(stray.length === 0, `contains no sources or dotfiles ${stray.join(" ")}`);
  run(process.execPath, [join(root, "node_modules/publint/src/cli.js"), "--strict", "--pack", "npm"], root);
  check(true, "publint finds nothing");

  const home = join(folder, "app");
  execFileSync("mkdir", ["-p", home]);
  writeFileSync(join(home, "package.json"), '{"private":true,"type":"module"}');
  npm(["install", "--no-fund", "--no-audit", "--ignore-scripts", join(folder, packed.filename)], home);
  const bin = join(home, "node_modules/.bin/codex-api-proxy");
  const entry = (name) => join(home, "node_modules/codex-api-proxy/dist", name);
  const { locateRuntimes } = await import("./runtimes.mjs");
  const { bun, deno } = locateRuntimes();
  const starts = [
    ["the installed command", bin, ["--version"]],
    ["node dist/node.js", process.execPath, [entry("node.js"), "--version"]],
    ["bun dist/bun.js", bun, [entry("bun.js"), "--version"]],
    ["bun on the installed command", bun, ["--bun", bin, "--version"]],
    ["deno run -A dist/deno.js", deno, ["run", "-A", entry("deno.js"), "--version"]],
  ];
  for (const [name, command, args] of starts)
    check(run(command, args, home).trim().includes(version), `${name} tells its version`);
  const embed = 'import { createApp } from "codex-api-proxy"; console.log(typeof createApp);';
  check(run(process.execPath, ["--input-type=module", "-e", embed], home).trim() === "function", "can be embedded");
  check(existsSync(entry("types/index.d.ts")) || existsSync(entry("types/src/index.d.ts")), "has type declarations");
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function npm(args, cwd) {
  return run("npm", args, cwd);
}

function run(command, args, cwd) {
  const env = {
    ...process.env,
    HOME: folder,
    npm_config_cache: process.env.npm_config_cache ?? join(process.env.HOME ?? folder, ".npm"),
  };
  return execFileSync(command, args, {
    cwd,
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 120_000,
  });
}

function check(right, what) {
  console.log(`${right ? "ok" : "NOT OK"}: ${what}`);
  if (!right) process.exitCode = 1;
}
