import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { startChild, waitFor } from "../support/child.ts";
import { ROOT, type Runtime } from "../support/runtimes.ts";
import { cleanEnvironment, freePort } from "../support/server.ts";
import { type Upstream, writeAuthFile } from "../upstream/index.ts";

export interface Measurement {
  /** Bytes of live objects, after a collection. */
  readonly heap: number;
  /** Bytes of the process in memory. */
  readonly resident: number;
  readonly descriptors: number;
}

/** The built server with a probe beside it. */
export interface MeasuredServer {
  readonly url: string;
  /** Collects garbage first, so it disturbs what is being measured. */
  measure(): Promise<Measurement>;
  log(): string;
  stop(): Promise<number | null>;
}

export async function startMeasured(runtime: Runtime, upstream: Upstream): Promise<MeasuredServer> {
  const home = mkdtempSync(join(tmpdir(), "measured-"));
  const codexHome = join(home, ".codex");
  writeAuthFile(codexHome, "chatgpt");
  const file = join(home, "probe.json");
  const port = await freePort();
  const env = {
    ...cleanEnvironment(home, codexHome),
    CODEX_PROXY_PORT: String(port),
    CODEX_API_PROXY_CHATGPT_BASE_URL: upstream.chatgptBaseUrl,
    CODEX_REFRESH_TOKEN_URL_OVERRIDE: upstream.refreshTokenUrl,
    DENO_V8_FLAGS: "--expose-gc",
    PROBE_ENTRY: pathToFileURL(join(ROOT, "dist", runtime.entry)).href,
    PROBE_FILE: file,
  };
  const child = startChild(runtime.command(join(ROOT, "test/soak/probe.mjs"), ["start", "--foreground"]), env, home);
  const url = `http://127.0.0.1:${port}`;
  const healthy = async (): Promise<true | undefined> => {
    const response = await fetch(`${url}/health`).catch(() => undefined);
    await response?.text();
    return response?.ok || undefined;
  };
  await waitFor(child, healthy, 30_000);
  return {
    url,
    log: () => child.output(),
    async measure() {
      rmSync(file, { force: true });
      process.kill(child.pid, "SIGUSR2");
      const found = await waitFor(child, async () => readMeasurement(file), 30_000);
      return { ...found, descriptors: readdirSync(`/proc/${child.pid}/fd`).length };
    },
    async stop() {
      const code = await child.stop();
      rmSync(home, { recursive: true, force: true });
      return code;
    },
  };
}

function readMeasurement(file: string): { heap: number; resident: number } | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as { heap: number; resident: number };
  } catch {
    return undefined;
  }
}
