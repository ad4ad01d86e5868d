import { type ChildProcess, spawn } from "node:child_process";

/** A child process whose output is kept. */
export interface Child {
  readonly pid: number;
  /** Everything it has written to stdout and stderr so far. */
  output(): string;
  /** Exit code; 128 + n after signal n is not made up, it is `null` then. */
  readonly exited: Promise<number | null>;
  /** Sends SIGTERM, and SIGKILL after `graceMs`; resolves when it has ended. */
  stop(graceMs?: number): Promise<number | null>;
}

export function startChild(
  command: readonly [string, ...string[]],
  env: Record<string, string | undefined>,
  cwd: string,
): Child {
  const [file, ...args] = command;
  const child: ChildProcess = spawn(file, args, {
    cwd,
    env: env as NodeJS.ProcessEnv,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const collect = (bytes: Buffer): void => {
    output += bytes.toString();
  };
  child.stdout?.on("data", collect);
  child.stderr?.on("data", collect);
  const exited = new Promise<number | null>((resolve) => {
    child.once("error", (error) => {
      output += String(error);
      resolve(null);
    });
    child.once("close", (code) => resolve(code));
  });
  return {
    pid: child.pid ?? 0,
    output: () => output,
    exited,
    async stop(graceMs = 15_000) {
      child.kill("SIGTERM");
      const kill = setTimeout(() => child.kill("SIGKILL"), graceMs);
      const code = await exited;
      clearTimeout(kill);
      return code;
    },
  };
}

/** Asks every 25 ms until `check` gives something; rejects with the child's output when it ends or `deadlineMs` passes. */
export async function waitFor<T>(child: Child, check: () => Promise<T | undefined>, deadlineMs: number): Promise<T> {
  let ended = false;
  child.exited.then(() => {
    ended = true;
  });
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const found = await check();
    if (found !== undefined) return found;
    if (ended || Date.now() > deadline) {
      throw new Error(`the program ${ended ? "ended" : "was not ready in time"}:\n${child.output()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
