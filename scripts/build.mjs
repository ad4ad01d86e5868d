/**
 * Bundles the program into dist/: `bin.js` (the installed command), one entry a runtime, and `index.js` with its types, the
 * embeddable API. Everything is bundled but the tokenizer, whose tables are large and seldom needed. What a command does
 * not need stays in chunks that are imported on first use.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(root, "dist");
const MAX_BYTES = 1_000_000;

/** CommonJS packages in the bundle ask for Node's own modules by `require`, which a module does not have. */
const REQUIRE =
  'import { createRequire as __createRequire } from "node:module";const require = __createRequire(import.meta.url);';

/** Bun compiles a file that begins so as it is; others it translates first, which takes half of its start. */
const READY_FOR_BUN = "// @bun\n";

/** undici's two agents, and the CONNECT that they call, without its fetch, WebSocket, cache and mocks: half the code to load. */
const undiciCore = {
  name: "undici-core",
  setup(bundle) {
    bundle.onResolve({ filter: /^undici$/ }, () => ({ path: "undici", namespace: "undici-core" }));
    bundle.onLoad({ filter: /.*/, namespace: "undici-core" }, () => ({
      resolveDir: root,
      contents: `
        import connect from "undici/lib/api/api-connect.js";
        import Dispatcher from "undici/lib/dispatcher/dispatcher.js";
        Dispatcher.prototype.connect = connect;
        export { default as Agent } from "undici/lib/dispatcher/agent.js";
        export { default as ProxyAgent } from "undici/lib/dispatcher/proxy-agent.js";
      `,
    }));
  },
};

const shared = {
  absWorkingDir: root,
  outdir: dist,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  external: ["gpt-tokenizer", "gpt-tokenizer/*"],
  minify: true,
  legalComments: "linked",
  charset: "utf8",
  chunkNames: "chunks/[name]-[hash]",
  banner: { js: REQUIRE },
  plugins: [undiciCore],
  logLevel: "warning",
};

const { outputFiles } = await build({
  ...shared,
  // A build that fails leaves the last one in place.
  write: false,
  entryPoints: {
    bin: "runtimes/bin.ts",
    node: "runtimes/node/main.ts",
    bun: "runtimes/bun/main.ts",
    deno: "runtimes/deno/main.ts",
    index: "runtimes/index.ts",
  },
});

rmSync(dist, { recursive: true, force: true });
for (const { path, contents } of outputFiles) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, path.endsWith(".js") ? READY_FOR_BUN + withoutUnusedRequire(contents) : contents);
}
emitDeclarations();

const bin = join(dist, "bin.js");
writeFileSync(bin, `#!/usr/bin/env node\n${readFileSync(bin, "utf8")}`);
chmodSync(bin, 0o755);

const bytes = sizeOf(dist);
if (bytes > MAX_BYTES) throw new Error(`dist/ has ${bytes} bytes, more than ${MAX_BYTES}`);
process.stdout.write(`dist/ built, ${Math.round(bytes / 1024)} KB\n`);

/** The banner is put before every file, and costs each that is loaded a part of a millisecond. */
function withoutUnusedRequire(contents) {
  const text = Buffer.from(contents).toString();
  const rest = text.replace(REQUIRE, "").trimStart();
  return /\brequire\b/.test(rest) ? text : rest;
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
