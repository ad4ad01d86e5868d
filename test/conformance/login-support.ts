import { spawn } from "node:child_process";
import { lstatSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT, type Runtime } from "../support/runtimes.ts";
import { cleanEnvironment, type RunningServer, startServer } from "../support/server.ts";
import type { RecordedRequest, Upstream } from "../upstream/index.ts";

export { sleep };

// biome-ignore lint/suspicious/noExplicitAny: foreign answers, checked field by field
export type Json = any;

const MODEL = "gpt-5.5";

/** One of the three APIs, as a login error is told in it. */
export interface Api {
  readonly path: string;
  body(text: string): object;
  /** The envelope of `login_expired` (401) and `credentials` (503). */
  readonly expired: object;
  readonly unusable: object;
}

const openai = (type: string) => ({ error: { type, message: expectText(), param: null, code: expectText() } });
const anthropic = (type: string) => ({
  type: "error",
  error: { type, message: expectText() },
  request_id: expectText(),
});
const user = (content: string) => ({ role: "user", content });

/** Filled in by the tests: `expect` belongs to them. */
function expectText(): object {
  return { asymmetricMatch: (value: unknown) => typeof value === "string" && value !== "" };
}

export const APIS: readonly Api[] = [
  {
    path: "/v1/chat/completions",
    body: (text) => ({ model: MODEL, messages: [user(text)] }),
    expired: openai("authentication_error"),
    unusable: openai("server_error"),
  },
  {
    path: "/v1/responses",
    body: (text) => ({ model: MODEL, input: text }),
    expired: openai("authentication_error"),
    unusable: openai("server_error"),
  },
  {
    path: "/v1/messages",
    body: (text) => ({ model: MODEL, max_tokens: 100, messages: [user(text)] }),
    expired: anthropic("authentication_error"),
    unusable: anthropic("api_error"),
  },
];

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined for a stream. */
  readonly json: Json;
  readonly ms: number;
}

/** Request number `n` to a server: the APIs in turn, every other round streamed. */
export async function ask(server: { readonly url: string }, n = 0): Promise<Answer> {
  const api = APIS[n % APIS.length] as Api;
  const stream = Math.floor(n / APIS.length) % 2 === 1;
  return post(server, api, { ...api.body(`request ${n}`), stream });
}

export async function post(server: { readonly url: string }, api: Api, body: object): Promise<Answer> {
  const startedAt = performance.now();
  const response = await fetch(server.url + api.path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") ?? false;
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson ? JSON.parse(text) : undefined,
    ms: performance.now() - startedAt,
  };
}

export function askMany(server: { readonly url: string }, count: number): Promise<Answer[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => ask(server, n)));
}

/** The double as all three hosts, the issuer included. */
export function upstreamEnvironment(upstream: Upstream): Record<string, string> {
  return {
    CODEX_API_PROXY_CHATGPT_BASE_URL: upstream.chatgptBaseUrl,
    CODEX_API_PROXY_OPENAI_BASE_URL: upstream.openaiBaseUrl,
    CODEX_API_PROXY_AUTH_ISSUER: upstream.authIssuer,
  };
}

/** Starts a server on a CODEX_HOME that outlives it. */
export function serve(
  runtime: Runtime,
  upstream: Upstream,
  codexHome: string,
  env: Record<string, string | undefined> = {},
): Promise<RunningServer> {
  return startServer(runtime, { env: { ...upstreamEnvironment(upstream), CODEX_HOME: codexHome, ...env } });
}

/** Ends a server as a crash or the kernel would. */
export async function kill(server: RunningServer): Promise<void> {
  process.kill(server.pid, "SIGKILL");
  await server.stop();
}

export const readAuth = (codexHome: string): Json => JSON.parse(readFileSync(join(codexHome, "auth.json"), "utf8"));

/** Permission bits of auth.json, and whether it is a link. */
export function modeOf(codexHome: string): { mode: number; isLink: boolean } {
  const path = join(codexHome, "auth.json");
  return { mode: statSync(path).mode & 0o777, isLink: lstatSync(path).isSymbolicLink() };
}

/** Calls of the token endpoint that are refreshes, oldest first. */
export function refreshes(upstream: Upstream): RecordedRequest[] {
  return upstream.requestsTo("/oauth/token").filter(({ json }) => (json as Json)?.grant_type === "refresh_token");
}

/** Refresh tokens in the order in which they were presented. */
export const presented = (upstream: Upstream): string[] =>
  refreshes(upstream).map(({ json }) => (json as Json).refresh_token as string);

/** Tokens that model requests carried. */
export const bearers = (upstream: Upstream): string[] =>
  upstream.requestsTo("/codex/responses").map(({ headers }) => (headers.authorization ?? "").replace("Bearer ", ""));

export interface CommandRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly pid: number;
  /** What it has written to stdout so far. */
  stdout(): string;
  readonly done: Promise<CommandRun>;
}

/** Runs a command of the built program, without anything of the user's. */
export function runCommand(
  runtime: Runtime,
  args: readonly string[],
  { home, env = {}, stdin = "" }: { home: string; env?: Record<string, string | undefined>; stdin?: string },
): RunningCommand {
  const [file, ...rest] = runtime.command(join(ROOT, "dist", runtime.entry), args);
  const child = spawn(file, rest, { cwd: home, env: { ...cleanEnvironment(home, home), ...env } as NodeJS.ProcessEnv });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (bytes: Buffer) => {
    stdout += bytes.toString();
  });
  child.stderr.on("data", (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  child.stdin.on("error", () => {});
  child.stdin.end(stdin);
  const done = new Promise<CommandRun>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { pid: child.pid ?? 0, stdout: () => stdout, done };
}
