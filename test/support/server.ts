import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Upstream } from "../upstream/index.ts";
import { startChild, waitFor } from "./child.ts";
import { ROOT, type Runtime } from "./runtimes.ts";

export interface ServerOptions {
  /** Added to an environment that holds nothing but PATH and the temporary homes; undefined takes one out. */
  readonly env?: Record<string, string | undefined>;
  /** Arguments behind `start --foreground`; with `bare` there is no command at all. */
  readonly args?: readonly string[];
  /** The built program; `dist` by default. */
  readonly dist?: string;
  /** Arguments of the runtime itself. */
  readonly runtimeArgs?: readonly string[];
  /** Start without a command, configured by the environment alone. */
  readonly bare?: boolean;
  /** Stands in for the three real hosts. */
  readonly upstream?: Pick<Upstream, "chatgptBaseUrl" | "openaiBaseUrl" | "refreshTokenUrl">;
  /** Fills the new, empty CODEX_HOME before the start. */
  readonly prepare?: (codexHome: string) => void;
}

/** The built program, serving. */
export interface RunningServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly home: string;
  readonly codexHome: string;
  /** What it has written so far. */
  log(): string;
  /** Stops it by SIGTERM and removes its temporary folders; gives the exit code. */
  stop(): Promise<number | null>;
}

const READY_MS = 30_000;

/** Starts dist/ on a runtime with homes of its own and a free port, and waits until /health answers. */
export async function startServer(runtime: Runtime, options: ServerOptions = {}): Promise<RunningServer> {
  const home = mkdtempSync(join(tmpdir(), "codex-api-proxy-home-"));
  const codexHome = join(home, ".codex");
  mkdirSync(codexHome, { mode: 0o700 });
  options.prepare?.(codexHome);
  const port = await freePort();
  const env = {
    ...cleanEnvironment(home, codexHome),
    ...(options.upstream && upstreamEnvironment(options.upstream)),
    CODEX_PROXY_PORT: String(port),
    ...options.env,
  };
  const args = options.bare ? (options.args ?? []) : ["start", "--foreground", ...(options.args ?? [])];
  const child = startChild(
    runtime.command(join(options.dist ?? join(ROOT, "dist"), runtime.entry), args, options.runtimeArgs),
    env,
    home,
  );
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<number | null> => {
    const code = await child.stop();
    rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    return code;
  };
  try {
    await waitFor(child, () => healthy(url), READY_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, port, pid: child.pid, home, codexHome, log: () => child.output(), stop };
}

/** An environment without anything of the user's: neither login nor proxy nor settings. */
export function cleanEnvironment(home: string, codexHome: string): Record<string, string | undefined> {
  return {
    PATH: process.env.PATH,
    HOME: home,
    CODEX_HOME: codexHome,
    // Deno and Bun keep their caches where they are: filling them anew takes seconds.
    DENO_DIR: process.env.DENO_DIR ?? join(ROOT, ".cache", "deno"),
    // In the home it would still be written to while the home is removed.
    BUN_RUNTIME_TRANSPILER_CACHE_PATH: join(ROOT, ".cache", "bun"),
    TMPDIR: process.env.TMPDIR,
  };
}

function upstreamEnvironment(upstream: NonNullable<ServerOptions["upstream"]>): Record<string, string> {
  return {
    CODEX_API_PROXY_CHATGPT_BASE_URL: upstream.chatgptBaseUrl,
    CODEX_API_PROXY_OPENAI_BASE_URL: upstream.openaiBaseUrl,
    CODEX_REFRESH_TOKEN_URL_OVERRIDE: upstream.refreshTokenUrl,
  };
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function healthy(url: string): Promise<true | undefined> {
  try {
    const response = await fetch(`${url}/health`);
    await response.body?.cancel();
    return response.ok || undefined;
  } catch {
    return undefined;
  }
}
