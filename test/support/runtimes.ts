import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const MODULES = join(ROOT, "node_modules");
/** Not a dependency: its `node` would come first on the PATH of every npm script, before the Node that is to be tested. */
const NODE_24 = "24.21.0";

export type RuntimeName = "node20" | "node24" | "bun" | "deno";

/** A JavaScript runtime that the tests start the program on. */
export interface Runtime {
  readonly name: RuntimeName;
  /** The program's entry for it in dist/. */
  readonly entry: "node.js" | "bun.js" | "deno.js";
  /** Command line that runs a script; `own` are arguments of the runtime itself. */
  command(script: string, args?: readonly string[], own?: readonly string[]): readonly [string, ...string[]];
}

const ALL: Record<RuntimeName, () => Runtime> = {
  // The Node that runs the tests: 20 where the floor is tested.
  node20: () => onNode("node20", process.execPath),
  node24: () => onNode("node24", findNode24()),
  bun: () => {
    const bun = firstThatExists("bun", ["bun/bin/bun.exe", ...inScope("@oven", "bin/bun", "bin/bun.exe")]);
    return { name: "bun", entry: "bun.js", command: (script, args = [], own = []) => [bun, ...own, script, ...args] };
  },
  deno: () => {
    const deno = firstThatExists("deno", inScope("@deno", "deno", "deno.exe"));
    return {
      name: "deno",
      entry: "deno.js",
      command: (script, args = [], own = []) => [deno, "run", "-A", ...own, script, ...args],
    };
  },
};

/** The runtimes to test on: all, or those that `CONFORMANCE_RUNTIMES=node20,bun` names. */
export const runtimes: readonly Runtime[] = (process.env.CONFORMANCE_RUNTIMES ?? Object.keys(ALL).join())
  .split(",")
  .map((name) => {
    const find = ALL[name.trim() as RuntimeName];
    if (find === undefined) throw new Error(`CONFORMANCE_RUNTIMES: ${name} is none of ${Object.keys(ALL).join()}`);
    return find();
  });

function onNode(name: RuntimeName, node: string): Runtime {
  return { name, entry: "node.js", command: (script, args = [], own = []) => [node, ...own, script, ...args] };
}

/**
 * The binaries come as packages of their own, one a platform; the wrapper packages only link to them in an install script,
 * which npm may not have run. An empty or placeholder file counts as missing.
 */
function firstThatExists(name: string, candidates: readonly string[]): string {
  const found = candidates.map((candidate) => join(MODULES, candidate)).find(isBinary);
  if (found === undefined) throw new Error(`no ${name} below node_modules: run npm ci`);
  return found;
}

/** `files` in each package of an npm scope. */
function inScope(scope: string, ...files: readonly string[]): string[] {
  const folder = join(MODULES, scope);
  const packages = existsSync(folder) ? readdirSync(folder) : [];
  return packages.flatMap((name) => files.map((file) => join(scope, name, file)));
}

/** Installs it on first use; `global-setup.ts` does so before test files run side by side. */
export function findNode24(): string {
  const prefix = join(ROOT, ".cache", `node-${NODE_24}`);
  const platform = process.platform === "win32" ? "win" : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const installed = join(prefix, "node_modules", name, "bin", process.platform === "win32" ? "node.exe" : "node");
  if (!isBinary(installed)) {
    mkdirSync(prefix, { recursive: true });
    const quiet = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"];
    execFileSync("npm", ["install", "--prefix", prefix, ...quiet, `${name}@${NODE_24}`], { stdio: "ignore" });
  }
  return installed;
}

function isBinary(path: string): boolean {
  return existsSync(path) && statSync(path).size > 1_000_000;
}
