import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { type Child, startChild, waitFor } from "./child.ts";
import { ROOT, type Runtime } from "./runtimes.ts";

/** A program of the adapters alone: a Platform under a handler that forwards what it is told. */
export interface AdapterServer {
  readonly url: string;
  readonly child: Child;
}

const BUNDLES = join(ROOT, ".cache", "adapters");
const REQUIRE =
  'import { createRequire as __createRequire } from "node:module";const require = __createRequire(import.meta.url);';

/** Bundles the three platforms with `adapter-main.ts` in place of the CLI; once a test run. */
export async function buildAdapters(): Promise<void> {
  mkdirSync(BUNDLES, { recursive: true });
  await build({
    absWorkingDir: ROOT,
    outdir: BUNDLES,
    entryPoints: {
      node: "runtimes/node/main.ts",
      bun: "runtimes/bun/main.ts",
      deno: "runtimes/deno/main.ts",
    },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    banner: { js: REQUIRE },
    plugins: [
      {
        name: "adapter-main",
        setup(bundle) {
          bundle.onResolve({ filter: /cli\/index\.ts$/ }, () => ({ path: join(ROOT, "test/support/adapter-main.ts") }));
        },
      },
    ],
  });
}

/** Runs `adapter-main.ts` with arguments. */
export function startAdapterProgram(
  runtime: Runtime,
  args: readonly string[],
  env: Record<string, string | undefined>,
  home: string,
): Child {
  const inherited = { PATH: process.env.PATH, HOME: home, DENO_DIR: join(ROOT, ".cache", "deno") };
  return startChild(runtime.command(join(BUNDLES, runtime.entry), args), { ...inherited, ...env }, home);
}

/** Starts the adapters on a runtime; settings of `adapter-main.ts` and the runtime's own come by `env`. */
export async function startAdapters(
  runtime: Runtime,
  env: Record<string, string | undefined>,
  home: string,
): Promise<AdapterServer> {
  const child = startAdapterProgram(runtime, [], env, home);
  const port = await waitFor(child, async () => /^listening (\d+)$/m.exec(child.output())?.[1], 30_000);
  return { url: `http://127.0.0.1:${port}`, child };
}
