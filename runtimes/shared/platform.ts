import { write as writeDescriptor, writeSync } from "node:fs";
import { homedir } from "node:os";
import type { Platform } from "../../src/platform.ts";
import { systemClock } from "./clock.ts";
import { fileStore } from "./files.ts";
import { preloadModules } from "./preload.ts";
import { createProcesses } from "./processes.ts";
import { lazyFetch } from "./upstream/lazy-fetch.ts";

/** What differs between the runtimes. */
export interface RuntimeParts extends Pick<Platform, "runtime" | "listen" | "memory"> {
  /** The runtime's own arguments that this program was started with, before the script's path. */
  readonly runtimeArgs: readonly string[];
}

/** The Platform over node:process and its kin, for Node and Bun. */
export function createSharedPlatform({ runtimeArgs, ...runtime }: RuntimeParts): Platform {
  // As it was at the start.
  const environment: Record<string, string | undefined> = { ...process.env };
  const scriptPath = process.argv[1] ?? "";
  const commandLine = [process.execPath, ...runtimeArgs, scriptPath];
  const system = { platform: process.platform, readText: fileStore.readText, environment: () => environment };
  return {
    ...runtime,
    os: { platform: process.platform, arch: process.arch },
    homeDir: environment.HOME ?? environment.USERPROFILE ?? homedir(),
    argv: process.argv.slice(2),
    scriptPath,
    commandLine,
    env: (name) => environment[name],
    environment: () => ({ ...environment }),
    createFetch: lazyFetch,
    preload: () => preloadModules(),
    files: fileStore,
    processes: createProcesses(commandLine, system),
    clock: systemClock,
    stdin: { isTerminal: () => process.stdin.isTTY === true, readText: readStdin },
    isTerminal: (stream) => process[stream].isTTY === true,
    write,
    writeAsync,
  };
}

async function readStdin(): Promise<string> {
  let text = "";
  process.stdin.setEncoding("utf8");
  for await (const chunk of process.stdin) text += chunk;
  return text;
}

/** Synchronous, so that nothing is lost at `exit`; a reader that has gone (`| head`) is no error. */
function write(stream: "stdout" | "stderr", text: string): void {
  const descriptor = stream === "stdout" ? 1 : 2;
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length; ) {
    try {
      sent += writeSync(descriptor, bytes, sent);
    } catch (error) {
      // EAGAIN: a pipe set to non-blocking is full, and its reader needs time.
      if ((error as { code?: string }).code !== "EAGAIN") return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function writeAsync(stream: "stdout" | "stderr", text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  return new Promise((resolve, reject) => {
    const rest = (from: number): void => {
      writeDescriptor(stream === "stdout" ? 1 : 2, bytes, from, (error, written) => {
        if (error?.code === "EAGAIN") setTimeout(rest, 20, from);
        else if (error) reject(error);
        else if (from + written < bytes.length) rest(from + written);
        else resolve();
      });
    };
    rest(0);
  });
}
