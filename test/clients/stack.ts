import { execFile } from "node:child_process";
import { copyFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect } from "vitest";
import { findNode24, ROOT, type Runtime } from "../support/runtimes.ts";
import { type RunningServer, startServer } from "../support/server.ts";
import { startUpstream, type Upstream, writeAuthFile } from "../upstream/index.ts";
import { install } from "./install.ts";

const RESPONSES = "/backend-api/codex/responses";

/** The double and the started server in front of it. */
export interface Stack {
  readonly upstream: Upstream;
  readonly server: RunningServer;
  /** Fails when upstream refused anything but what is found out about a model once, or saw what was not meant for it. */
  expectCleanUpstream(): void;
  stop(): Promise<void>;
}

export async function startStack(runtime: Runtime): Promise<Stack> {
  const upstream = await startUpstream();
  const server = await startServer(runtime, {
    upstream,
    prepare: (codexHome) => void writeAuthFile(codexHome, "chatgpt"),
  });
  return {
    upstream,
    server,
    expectCleanUpstream() {
      const seen = upstream.requestsTo(RESPONSES);
      expect(seen.length).toBeGreaterThan(0);
      const refusals = seen.map((request) => request.refusal ?? "");
      expect(
        refusals.filter((refusal) => !/^$|^Model not found|requires `tool_choice` to be `auto`/.test(refusal)),
      ).toEqual([]);
      expect(seen.flatMap((request) => request.leaks)).toEqual([]);
    },
    async stop() {
      await server.stop();
      await upstream.close();
    },
  };
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a client to its end with nothing of this environment but PATH. */
export function runClient(
  command: string,
  args: readonly string[],
  options: { env: Record<string, string>; cwd: string; input?: string; timeoutMs?: number },
): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { PATH: process.env.PATH, LANG: "C.UTF-8", ...options.env };
    const timeout = options.timeoutMs ?? 120_000;
    const child = execFile(
      command,
      args,
      { env, cwd: options.cwd, timeout, maxBuffer: 64 * 2 ** 20 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : null;
        resolve({ code, stdout, stderr });
      },
    );
    child.stdin?.end(options.input ?? "");
  });
}

/** One check of a script: its name and, when it failed, why. */
interface Check {
  readonly name: string;
  readonly error?: string;
}

/** Runs a script of `scripts/` where its SDKs are installed; each of its lines is one check. */
export async function runChecks(script: string, url: string, model: string): Promise<Check[]> {
  const file = join(ROOT, "test/clients/scripts", script);
  const python = script.endsWith(".py");
  const folder = install(python ? "python" : "sdks");
  let command = join(folder, "bin", "python");
  let target = file;
  if (!python) {
    // Imports resolve from where a module lies.
    target = join(folder, basename(file));
    copyFileSync(join(ROOT, "test/clients/scripts/checks.mjs"), join(folder, "checks.mjs"));
    copyFileSync(file, target);
    command = findNode24();
  }
  const ran = await runClient(command, [target], { env: { BASE_URL: url, MODEL: model, HOME: folder }, cwd: folder });
  const lines = ran.stdout.split("\n").filter((line) => line.startsWith("{"));
  if (ran.code !== 0) throw new Error(`${script} ended with ${ran.code}: ${ran.stderr.slice(-3000)}`);
  return lines.map((line) => JSON.parse(line) as Check);
}
