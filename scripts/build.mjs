/**
 * Bundles the program into dist/: `bin.js` (the installed command), one entry a runtime, and `index.js` with its types, the
 * embeddable API. Everything is bundled but the tokenizer, whose tables are large and seldom needed. What a command does
 * not need stays in chunks that are imported on first use.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { undiciCore } from "./undici.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(root, "dist");
const MAX_BYTES = 1_000_000;

/** Bun compiles a file that begins so as it is; others it translates first, which takes half of its start. */
const READY_FOR_BUN = "// @bun\n";

/**
 * Modules that lie in one file each, with all that they import: a file costs a start a third of a millisecond and more.
 * The rest is split by who imports it.
 */
const TOGETHER = {
  /** The command line; `status`, `stop` and `--help` load no more. */
  shell: [
    "src/cli/index.ts",
    "src/cli/arguments.ts",
    "src/cli/help.ts",
    "src/cli/status.ts",
    "src/cli/stop.ts",
    "src/cli/logs.ts",
    "runtimes/shared/upstream/lazy-fetch.ts",
    "runtimes/shared/preload.ts",
    "runtimes/shared/clock.ts",
    "runtimes/shared/start-mark.ts",
    "runtimes/shared/is-alive.ts",
    "runtimes/shared/listen-error.ts",
    "runtimes/shared/close-within.ts",
    "runtimes/shared/heard-signals.ts",
    "src/stream/web-body.ts",
    "src/stream/cancellation.ts",
    "node_modules/citty/dist/index.mjs",
  ],
  /** What a runtime adds to it, up to its first `/health`; Deno has none of what is over node: modules. */
  system: ["runtimes/shared/platform.ts", "runtimes/shared/resident-bytes.ts"],
  node: ["runtimes/node/platform.ts", "runtimes/node/serve.ts"],
  deno: ["runtimes/deno/platform.ts"],
  bun: ["runtimes/bun/platform.ts"],
  /** A server up to its first `/health`. */
  server: ["src/cli/start.ts", "src/cli/serve-command.ts", "src/app.ts"],
  /** What it loads then; also the refresh, whose file may be gone when a refresh is due. */
  api: ["src/api.ts", "src/cli/renew-login.ts"],
};

const bundle = await rolldown({
  cwd: root,
  platform: "node",
  external: [/^gpt-tokenizer/],
  input: {
    bin: "runtimes/bin.ts",
    node: "runtimes/node/main.ts",
    bun: "runtimes/bun/main.ts",
    deno: "runtimes/deno/main.ts",
    index: "runtimes/index.ts",
  },
  transform: { target: "node20" },
  plugins: [undiciCore],
  // Commands import one another, which keeps a command's module in its group; it is loaded on use all the same.
  checks: { ineffectiveDynamicImport: false },
});
const { output } = await bundle.generate({
  format: "esm",
  minify: true,
  comments: { legal: true, annotation: false, jsdoc: false },
  chunkFileNames: "chunks/[name]-[hash].js",
  codeSplitting: { groups: Object.keys(TOGETHER).map(groupOf) },
});

rmSync(dist, { recursive: true, force: true });
for (const { fileName, name, code } of output) {
  const path = join(dist, fileName);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, READY_FOR_BUN + hideFromDeno(name, code));
}
emitDeclarations();

const bin = join(dist, "bin.js");
writeFileSync(bin, `#!/usr/bin/env node\n${readFileSync(bin, "utf8")}`);
chmodSync(bin, 0o755);

const bytes = sizeOf(dist);
if (bytes > MAX_BYTES) throw new Error(`dist/ has ${bytes} bytes, more than ${MAX_BYTES}`);
process.stdout.write(`dist/ built, ${Math.round(bytes / 1024)} KB\n`);

/**
 * Deno reads whatever a dynamic import names in so many words before it starts, and all that hangs on it: an eighth of its
 * start. It does not look through a call. What the embeddable API imports stays as it is, for bundlers to find.
 */
function hideFromDeno(name, code) {
  if (!(name in TOGETHER)) return code;
  return code.replace(/\bimport\(([`"'])(\.[^`"']+)\1\)/g, 'import(String("$2"))');
}

/** The first group that holds a module has it. */
function groupOf(debugName, index, { length }) {
  let members;
  const name = (id, graph) => {
    members ??= closureOf(TOGETHER[debugName], graph);
    return members.has(id) ? debugName : null;
  };
  return { debugName, name, priority: length - index };
}

/** The modules at `paths` and all that they import at once. */
function closureOf(paths, graph) {
  const found = new Set();
  const left = paths.map((path) => join(root, path));
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    left.push(...(graph.getModuleInfo(id)?.importedIds ?? []));
  }
  return found;
}

/** Types of the embeddable API: its own, and those of the settings that it takes. */
function emitDeclarations() {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  execFileSync(process.execPath, [tsc, "--build", "runtimes"], { cwd: root, stdio: "inherit" });
  const emitted = (path) => readFileSync(join(root, ".cache", "types", path), "utf8");
  const own = emitted("bin/runtimes/index.d.ts").replaceAll("../src/config/options.ts", "./settings.d.ts");
  if (own.includes("../src")) throw new Error("runtimes/index.ts tells more types than the package holds");
  writeFileSync(join(dist, "index.d.ts"), own);
  writeFileSync(join(dist, "settings.d.ts"), emitted("src/config/options.d.ts"));
}

function sizeOf(path) {
  const { size } = statSync(path);
  if (!statSync(path).isDirectory()) return size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
