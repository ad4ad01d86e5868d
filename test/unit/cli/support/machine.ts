import { runCli } from "../../../../src/cli/index.ts";
// Loaded ahead: a server that starts must not wait for its modules to be transformed.
import "../../../../src/cli/serve-command.ts";
import "../../../../src/demo/index.ts";
import { ProxyError } from "../../../../src/errors.ts";
import type { Handler, Listener, Platform, UpstreamFetch } from "../../../../src/platform.ts";
import { fromResponse } from "../../../../src/stream/byte-source.ts";
import { toResponse } from "../../../../src/stream/web-body.ts";
import { type MemoryFiles, memoryFiles } from "../../credentials/support/memory-files.ts";

const HOME = "/home/user";
export const STATE = `${HOME}/.codex-api-proxy`;
/** The machine's clock runs so many times faster than the real one. */
const SPEED = 20;

/** How a command ended. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** One process of the machine. */
interface Process {
  readonly pid: number;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  alive: boolean;
  /** Ended, but nobody has waited for it. */
  zombie: boolean;
  deaf: boolean;
  readonly shutdown: (() => void)[];
  readonly reload: (() => void)[];
}

/** A computer in memory: files, processes and ports that the CLI and the servers it starts share. */
export interface Machine {
  readonly files: MemoryFiles;
  readonly processes: Map<number, Process>;
  readonly ports: Map<number, Handler>;
  readonly signals: string[];
  /** Runs a command to its end. */
  cli(args: readonly string[], options?: CliOptions): Promise<Outcome>;
  /** Starts a command that goes on, such as a server in the foreground. */
  begin(args: readonly string[], options?: CliOptions): { pid: number; outcome: Promise<Outcome> };
  kill(pid: number): void;
  request(port: number, path: string, headers?: Record<string, string>): Promise<Response>;
}

export interface CliOptions {
  readonly env?: Record<string, string>;
  readonly terminal?: boolean;
  readonly stdin?: string;
  /** Stands in for every other program; gives its exit code. */
  readonly program?: (command: string, args: readonly string[], env: Process["env"]) => number | Promise<number>;
}

class Exit extends Error {
  readonly code: number;
  constructor(code: number) {
    super("exit");
    this.code = code;
  }
}

export function createMachine(): Machine {
  const files = memoryFiles();
  const processes = new Map<number, Process>();
  const ports = new Map<number, Handler>();
  const owners = new Map<number, number>();
  const signals: string[] = [];
  const bootedAt = Date.now();
  let nextPid = 100;

  function end(process: Process): void {
    process.alive = false;
    for (const [port, pid] of owners) {
      if (pid !== process.pid) continue;
      owners.delete(port);
      ports.delete(port);
    }
  }

  function spawn(args: readonly string[], env: Process["env"]): Process {
    const pid = nextPid++;
    const process: Process = {
      pid,
      args,
      env,
      alive: true,
      zombie: false,
      deaf: false,
      shutdown: [],
      reload: [],
    };
    processes.set(pid, process);
    return process;
  }

  async function run(process: Process, options: CliOptions, log?: string): Promise<Outcome> {
    const written = { stdout: "", stderr: "" };
    const write = (stream: "stdout" | "stderr", text: string): void => {
      if (log === undefined) written[stream] += text;
      else files.put(log, (files.get(log) ?? "") + text);
    };
    let code = 0;
    try {
      await runCli(platformOf(process, options, write));
    } catch (error) {
      if (!(error instanceof Exit)) throw error;
      code = error.code;
    }
    end(process);
    return { code, out: written.stdout, err: written.stderr };
  }

  function platformOf(process: Process, options: CliOptions, write: Platform["write"]): Platform {
    const clock = {
      now: () => bootedAt + (Date.now() - bootedAt) * SPEED,
      sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms / SPEED)),
    };
    return {
      runtime: { name: "node", version: "20.20.0" },
      os: { platform: "linux", arch: "x64" },
      homeDir: HOME,
      memory: { resident: () => 0, trim: async () => {} },
      argv: process.args,
      scriptPath: "/dist/node.js",
      commandLine: ["/usr/bin/node", "/dist/node.js"],
      env: (name) => process.env[name],
      environment: () => ({ ...process.env }),
      createFetch: () => loopback,
      preload: () => {},
      listen: async (handler, { port }): Promise<Listener> => {
        const actual = port === 0 ? 40_000 + process.pid : port;
        if (ports.has(actual))
          throw new ProxyError("internal", `port ${actual} is already in use`, { code: "EADDRINUSE" });
        ports.set(actual, handler);
        owners.set(actual, process.pid);
        return {
          port: actual,
          close: async () => {
            ports.delete(actual);
          },
        };
      },
      files,
      processes: {
        pid: process.pid,
        async spawnDetached({ args, env, logPath }) {
          const child = spawn(args, env);
          void run(child, {}, logPath);
          return child.pid;
        },
        run: async (command, args, env) => (await options.program?.(command, args, env)) ?? 0,
        isAlive: (pid) => processes.get(pid)?.alive === true || processes.get(pid)?.zombie === true,
        startMark: async (pid) => (processes.get(pid)?.alive ? `started-${pid}` : undefined),
        signal(pid, name) {
          signals.push(`${name} ${pid}`);
          const target = processes.get(pid);
          if (!target?.alive) throw Object.assign(new Error("no such process"), { code: "ESRCH" });
          if (name === "SIGKILL") end(target);
          else if (name === "SIGHUP") for (const callback of target.reload) callback();
          else if (!target.deaf) for (const callback of target.shutdown) callback();
        },
        onShutdown: (callback) => void process.shutdown.push(callback),
        onReload: (callback) => void process.reload.push(callback),
        onUncaught: () => {},
        exit(code) {
          throw new Exit(code);
        },
        openUrl: async () => false,
      },
      clock,
      stdin: { isTerminal: () => options.terminal === true, readText: async () => options.stdin ?? "" },
      isTerminal: () => options.terminal === true,
      write,
      writeAsync: async (stream, text) => write(stream, text),
    };
  }

  const loopback: UpstreamFetch = async (url, request) => {
    const handler = ports.get(Number(new URL(url).port));
    if (!handler) throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    const headers = { host: new URL(url).host, ...request.headers };
    const body = (request.body as string | undefined) ?? null;
    return fromResponse(toResponse(await handler(new Request(url, { method: request.method, headers, body }))));
  };

  return {
    files,
    processes,
    ports,
    signals,
    cli: (args, options = {}) => run(spawn(args, options.env ?? {}), options),
    begin(args, options = {}) {
      const process = spawn(args, options.env ?? {});
      return { pid: process.pid, outcome: run(process, options) };
    },
    kill(pid) {
      const process = processes.get(pid);
      if (process) end(process);
    },
    async request(port, path, headers = {}) {
      const url = `http://127.0.0.1:${port}${path}`;
      const handler = ports.get(port);
      if (!handler) throw new Error(`nobody listens on ${port}`);
      return toResponse(await handler(new Request(url, { headers: { host: `127.0.0.1:${port}`, ...headers } })));
    },
  };
}
