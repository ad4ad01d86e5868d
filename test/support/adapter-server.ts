import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "rolldown";
import { type Child, startChild, waitFor } from "./child.ts";
import { ROOT, type Runtime } from "./runtimes.ts";

/** A program of the adapters alone: a Platform under a handler that forwards what it is told. */
export interface AdapterServer {
  readonly url: string;
  readonly child: Child;
}

const BUNDLES = join(ROOT, ".cache", "adapters");
/** Bundles the three platforms with `adapter-main.ts` in place of the CLI; once a test run. */
export async function buildAdapters(): Promise<void> {
  mkdirSync(BUNDLES, { recursive: true });
  await build({
    cwd: ROOT,
    input: {
      node: "runtimes/node/main.ts",
      bun: "runtimes/bun/main.ts",
      deno: "runtimes/deno/main.ts",
    },
    output: { dir: BUNDLES, format: "esm" },
    platform: "node",
    transform: { target: "node20" },
    logLevel: "warn",
    plugins: [
      {
        name: "adapter-main",
        resolveId: (id) => (id.endsWith("cli/index.ts") ? join(ROOT, "test/support/adapter-main.ts") : null),
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
