import type { ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { constants } from "node:os";
import type { Processes } from "../../src/platform.ts";
import { isAlive } from "./is-alive.ts";
import { openUrl } from "./open-url.ts";
import { type StartMarkSystem, startMark } from "./start-mark.ts";

const LOG_MODE = 0o600;
const RELOAD_SIGNAL = "SIGHUP";

/**
 * Processes over node:child_process, which Node, Bun and Deno all implement.
 * @param self command line that starts this program again: executable, the runtime's own arguments, script.
 */
export function createProcesses(self: readonly string[], system: StartMarkSystem): Processes {
  return {
    pid: process.pid,
    spawnDetached: ({ args, env, logPath }) => spawnDetached([...self, ...args], env, logPath),
    run: runInForeground,
    isAlive,
    startMark: (pid) => startMark(system, pid),
    signal(pid, signal) {
      process.kill(pid, signal);
    },
    onShutdown(callback) {
      process.on("SIGINT", callback);
      process.on("SIGTERM", callback);
    },
    onReload(callback) {
      if (process.platform !== "win32") process.on(RELOAD_SIGNAL, callback);
    },
    onUncaught(callback) {
      process.on("uncaughtException", callback);
      process.on("unhandledRejection", callback);
    },
    exit: (code) => process.exit(code),
    openUrl,
  };
}

async function spawnDetached(
  command: readonly string[],
  env: Record<string, string | undefined>,
  logPath: string | undefined,
): Promise<number> {
  // Loaded on use: a server starts no process of its own.
  const { spawn } = await import("node:child_process");
  const log = logPath === undefined ? "ignore" : openSync(logPath, "a", LOG_MODE);
  return new Promise<number>((resolve, reject) => {
    const [file = "", ...args] = command;
    const child = spawn(file, args, { detached: true, stdio: ["ignore", log, log], env: env as NodeJS.ProcessEnv });
    child.once("error", reject);
    child.once("spawn", () => {
      child.unref();
      resolve(child.pid ?? 0);
    });
  }).finally(() => {
    if (typeof log === "number") closeSync(log);
  });
}

/** SIGINT reaches the child from the terminal by itself; what ends or reloads this process alone is passed on. */
async function runInForeground(
  command: string,
  args: readonly string[],
  env: Record<string, string | undefined>,
): Promise<number> {
  let send = (signal: NodeJS.Signals): void => void early.push(signal);
  const early: NodeJS.Signals[] = [];
  const pass = (signal: NodeJS.Signals): void => send(signal);
  const signals = process.platform === "win32" ? [] : (["SIGTERM", "SIGHUP"] as const);
  for (const signal of signals) process.on(signal, pass);
  try {
    const { spawn } = await import("node:child_process");
    const child = spawn(command, args, { stdio: "inherit", env: env as NodeJS.ProcessEnv });
    send = (signal) => void child.kill(signal);
    for (const signal of early) send(signal);
    return await exitCodeOf(child);
  } finally {
    for (const signal of signals) process.off(signal, pass);
  }
}

function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      const number = signal === null ? undefined : constants.signals[signal];
      resolve(code ?? 128 + (number ?? 0));
    });
  });
}
