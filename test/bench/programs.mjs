/** How each program under measurement is started, and the folder that it finds a login in. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { framesFor } from "./frames.mjs";
import { SCENARIOS } from "./scenarios.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "..", "..");
const modules = join(root, "node_modules");
const READY_MS = 30_000;

/** Every Node on the path, one a major version, the oldest first; npm puts the development one before the user's own. */
const NODES = [...new Map(nodesOnPath().map((node) => [node.name, node])).values()].sort((a, b) => a.major - b.major);
/** Limits and bare servers run on the oldest, where most is to be gained; the harness itself on the newest. */
const OLDEST = NODES[0].file;
const NEWEST = NODES.at(-1).file;

/** Every program that this machine has: `{ name, kind: "server" | "limit" | "peer", transports, command, env }`. */
export function findPrograms({ cache, peers, original }) {
  const servers = [
    ...NODES.map((node) => ({ name: node.name, runtime: [node.file], entry: "node" })),
    { name: "bun", runtime: [join(modules, ".bin", "bun")], entry: "bun" },
    { name: "deno", runtime: [join(modules, ".bin", "deno"), "run", "-A", "--no-config"], entry: "deno" },
  ]
    .filter(({ runtime }) => existsSync(runtime[0]))
    .map(({ name, runtime, entry }) => ({
      name,
      kind: "server",
      transports: ["plain", "tls"],
      command: (port) => [
        ...runtime,
        join(root, "dist", `${entry}.js`),
        ...["start", "--foreground", "--port", String(port), "--log-level", "info", "--log-file", "{home}/server.log"],
      ],
    }));
  return [
    {
      name: "node-pipe",
      kind: "limit",
      transports: ["plain"],
      command: (port, upstream) => [OLDEST, join(here, "node-pipe.mjs"), String(port), String(upstream.plain)],
    },
    ...goProxy(cache),
    ...servers,
    ...(original ? [originalProgram(cache)] : []),
    ...peers.map(({ name, command }) => ({
      name,
      kind: "peer",
      transports: ["plain"],
      command: (port, upstream) => [
        "/bin/sh",
        "-c",
        command.replaceAll("{port}", String(port)).replaceAll("{upstream}", `http://127.0.0.1:${upstream.plain}`),
      ],
    })),
  ];
}

/** Bare HTTP servers: what a runtime itself needs to start. */
export const BARE = [
  {
    name: "bare-node",
    command: (port) => [
      OLDEST,
      "-e",
      `require("node:http").createServer((_, r) => r.end("ok")).listen(${port}, "127.0.0.1")`,
    ],
  },
  {
    name: "bare-bun",
    command: (port) => [
      join(modules, ".bin", "bun"),
      "-e",
      `Bun.serve({ port: ${port}, hostname: "127.0.0.1", fetch: () => new Response("ok") })`,
    ],
  },
  {
    name: "bare-deno",
    command: (port) => [
      join(modules, ".bin", "deno"),
      "eval",
      `Deno.serve({ port: ${port}, hostname: "127.0.0.1", onListen() {} }, () => new Response("ok"))`,
    ],
  },
].map((program) => ({ ...program, kind: "bare", transports: ["plain"] }));

/** Starts a program on a free port. @returns it with `port`, `pid`, `stop()`; `raw` when it is asked upstream's own request. */
export async function startProgram(program, transport, upstream, scratch) {
  const port = await freePort();
  const home = mkdtempSync(join(scratch, `${program.name}-`));
  writeLogin(home);
  const [file, ...args] = program.command(port, upstream, transport).map((part) => part.replaceAll("{home}", home));
  const env = { PATH: process.env.PATH, HOME: home, CODEX_HOME: home, ...networkOf(transport, upstream) };
  const startedAt = performance.now();
  const child = spawn(file, args, { env, cwd: home, stdio: ["ignore", "ignore", "pipe"], detached: true });
  let errors = "";
  child.stderr.on("data", (bytes) => {
    errors = (errors + bytes).slice(-2000);
  });
  const stop = () =>
    new Promise((done) => {
      if (child.exitCode !== null || child.signalCode !== null) return done();
      child.once("exit", done);
      const kill = (signal) => {
        try {
          process.kill(-child.pid, signal);
        } catch {
          // It has just ended.
        }
      };
      kill("SIGTERM");
      setTimeout(() => kill("SIGKILL"), 3_000).unref();
    });
  const running = { ...program, transport, port, pid: child.pid, stop, startedAt, raw: program.kind === "limit" };
  try {
    await listening(port, child);
  } catch (error) {
    await stop();
    throw new Error(`${program.name} does not start: ${error.message}\n${errors}`);
  }
  return running;
}

/** Starts the benchmark's upstream: Go's where it can be built, which sends faster than any program under measurement reads. */
export async function startUpstream({ keyFile, certificateFile, caFile, cache, scratch }) {
  const binary = buildGo("upstream", cache);
  const framesFile = join(scratch, "frames.json");
  writeFileSync(framesFile, JSON.stringify(framesFor([0, ...new Set(SCENARIOS.map(({ deltas }) => deltas))])));
  const [command, ...args] = binary ? [binary, framesFile] : [NEWEST, join(here, "upstream.mjs")];
  const child = spawn(command, [...args, keyFile, certificateFile], { stdio: ["pipe", "pipe", "inherit"] });
  const ports = await new Promise((resolve, reject) => {
    child.stdout.once("data", (line) => resolve(JSON.parse(line)));
    child.once("exit", () => reject(new Error("the benchmark's upstream does not start")));
  });
  return { ...ports, caFile, stop: () => child.kill() };
}

function networkOf(transport, upstream) {
  if (transport === "plain")
    return { CODEX_API_PROXY_CHATGPT_BASE_URL: `http://127.0.0.1:${upstream.plain}/backend-api/codex` };
  return { HTTPS_PROXY: `http://127.0.0.1:${upstream.proxy}`, CODEX_API_PROXY_CA_BUNDLE: upstream.caFile };
}

/** The built program; undefined where Go is not installed. */
function buildGo(name, cache) {
  const binary = join(cache, name);
  try {
    execFileSync("go", ["build", "-o", binary, join(here, `${name}.go`)], { stdio: "pipe" });
    return binary;
  } catch {
    return undefined;
  }
}

function goProxy(cache) {
  const binary = buildGo("reverse-proxy", cache);
  if (!binary) return [];
  const command = (port, upstream, transport) =>
    transport === "plain"
      ? [binary, String(port), `http://127.0.0.1:${upstream.plain}`]
      : [binary, String(port), "https://chatgpt.com", `http://127.0.0.1:${upstream.proxy}`, upstream.caFile];
  return [{ name: "go", kind: "limit", transports: ["plain", "tls"], command }];
}

/** The Python program of the same name, in an environment of its own. It has no option for its base URL. */
function originalProgram(cache) {
  const folder = join(cache, "original");
  const python = join(folder, "bin", "python");
  if (!existsSync(join(folder, "installed"))) {
    mkdirSync(folder, { recursive: true });
    execFileSync("python3", ["-m", "venv", folder], { stdio: "inherit" });
    execFileSync(python, ["-m", "pip", "install", "-q", "codex-api-proxy==0.1.6"], { stdio: "inherit" });
    writeFileSync(join(folder, "installed"), "");
  }
  const code = `
import os, sys
import codex_api_proxy.auth as auth
auth.CHATGPT_CODEX_BASE_URL = os.environ.get("CODEX_API_PROXY_CHATGPT_BASE_URL", auth.CHATGPT_CODEX_BASE_URL)
from codex_api_proxy.cli import main
sys.exit(main())
`;
  const command = (port) => [python, "-c", code, "start", "--foreground", "--port", String(port)];
  return { name: "original", kind: "peer", transports: ["plain", "tls"], command };
}

/** A ChatGPT login that needs no refresh for a month. */
function writeLogin(folder) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    exp: Math.floor(Date.now() / 1000) + 30 * 86_400,
    "https://api.openai.com/auth": { chatgpt_account_id: "bench", chatgpt_plan_type: "plus" },
  };
  const token = `${part({ alg: "none" })}.${part(claims)}.bench`;
  const tokens = { id_token: token, access_token: token, refresh_token: "bench", account_id: "bench" };
  const login = { auth_mode: "chatgpt", OPENAI_API_KEY: null, tokens, last_refresh: new Date().toISOString() };
  writeFileSync(join(folder, "auth.json"), JSON.stringify(login), { mode: 0o600 });
}

async function listening(port, child) {
  const until = performance.now() + READY_MS;
  while (performance.now() < until) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    if (await reachable(port)) return;
    await new Promise((done) => setTimeout(done, 2));
  }
  throw new Error("it does not listen");
}

function reachable(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function nodesOnPath() {
  const files = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "node"));
  // Node 24, where the tests have installed it.
  const cache = join(root, ".cache");
  const cached = existsSync(cache)
    ? readdirSync(cache)
        .filter((name) => name.startsWith("node-"))
        .map((name) => join(cache, name, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node"))
    : [];
  return [...files, ...cached, process.execPath].filter(existsSync).map((file) => {
    const version = execFileSync(file, ["--version"], { encoding: "utf8" });
    const major = Number(/^v(\d+)/.exec(version)?.[1]);
    return { name: `node${major}`, major, file };
  });
}
