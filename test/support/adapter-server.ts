import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "rolldown";
import { undiciCore } from "../../scripts/undici.mjs";
import type { FileStore } from "../../src/platform.ts";
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
      undiciCore,
      {
        name: "adapter-main",
        resolveId: (id) => (id.endsWith("cli/index.ts") ? join(ROOT, "test/support/adapter-main.ts") : null),
      },
    ],
  });
}

/** The file store of a runtime: each call is a process of its own, a failure an Error with the system's code. */
export function adapterFiles(runtime: Runtime, home: string): Omit<FileStore, "withLock"> {
  const call = async (method: string, ...args: unknown[]): Promise<never> => {
    const child = startAdapterProgram(runtime, ["files", JSON.stringify([method, ...args])], {}, home);
    await child.exited;
    const [how, what] = JSON.parse(child.output());
    if (how === "thrown") throw Object.assign(new Error(`${method}: ${what}`), { code: what });
    return (what ?? undefined) as never;
  };
  const methods = ["readText", "writeTextAtomic", "append", "rename", "remove", "makeDir", "setMode", "stat"] as const;
  return Object.fromEntries(methods.map((name) => [name, (...args: unknown[]) => call(name, ...args)])) as never;
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
