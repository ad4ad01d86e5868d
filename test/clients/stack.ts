import { execFile } from "node:child_process";
import { copyFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect } from "vitest";
import { findNode24, ROOT, type Runtime } from "../support/runtimes.ts";
import { type RunningServer, startServer } from "../support/server.ts";
import { type RecordedRequest, startUpstream, type Upstream, writeAuthFile } from "../upstream/index.ts";
import { install } from "./install.ts";

/** Where the ChatGPT backend answers. */
export const RESPONSES = "/backend-api/codex/responses";

/** A model that the clients ask for to see the error. */
const UNKNOWN_MODEL = "gpt-none";

/** The double and the started server in front of it. */
export interface Stack {
  readonly upstream: Upstream;
  readonly server: RunningServer;
  /** Fails when upstream refused anything but what is found out about a model once, or saw what was not meant for it. */
  expectCleanUpstream(): void;
  /** Fails when no request upstream held a tool's call with its result, or one did without the model's reasoning. */
  expectToolRoundTrip(): void;
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
      const refusals = seen.map((request) => (isForUnknownModel(request) ? "" : (request.refusal ?? "")));
      const expected = /^$|^Model not found|requires `tool_choice` to be `auto`/;
      expect(refusals.filter((refusal) => !expected.test(refusal))).toEqual([]);
      expect(seen.flatMap((request) => request.leaks)).toEqual([]);
    },
    expectToolRoundTrip() {
      const answered = upstream.requestsTo(RESPONSES).filter((request) => answeredCalls(request).length > 0);
      expect(answered.length).toBeGreaterThan(0);
      expect(answered.filter((request) => !bringsReasoningBack(request)).map(({ json }) => json)).toEqual([]);
    },
    async stop() {
      await server.stop();
      await upstream.close();
    },
  };
}

function isForUnknownModel({ json }: RecordedRequest): boolean {
  return (json as { model?: unknown }).model === UNKNOWN_MODEL;
}

/** Ids of the calls in a request's input that have a result in it. */
function answeredCalls({ json }: RecordedRequest): unknown[] {
  const { input } = json as { input: { type?: string; call_id?: string }[] };
  const idsOf = (...types: string[]): unknown[] =>
    input.filter(({ type }) => types.includes(type ?? "")).map((item) => item.call_id);
  const results = idsOf("function_call_output", "custom_tool_call_output");
  return idsOf("function_call", "custom_tool_call").filter((id) => results.includes(id));
}

function bringsReasoningBack({ json }: RecordedRequest): boolean {
  const { input } = json as { input: { type?: string; encrypted_content?: string }[] };
  return input.some((item) => item.type === "reasoning" && typeof item.encrypted_content === "string");
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
export interface Check {
  readonly name: string;
  readonly error?: string;
}

/** Runs a script of `scripts/` where its SDKs are installed; each of its lines is one check. */
export async function runChecks(script: string, url: string, model: string): Promise<Check[]> {
  const file = join(ROOT, "test/clients/scripts", script);
  const python = script.endsWith(".py");
  const folder = await install(python ? "python" : "sdks");
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
