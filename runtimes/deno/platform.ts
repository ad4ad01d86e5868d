import type { Platform } from "../../src/platform.ts";
import { systemClock } from "../shared/clock.ts";
import { preloadModules } from "../shared/preload.ts";
import { lazyFetch } from "../shared/upstream/lazy-fetch.ts";
import { denoFiles, writeAll } from "./files.ts";
import { denoMemory } from "./memory.ts";
import { createDenoProcesses } from "./processes.ts";
import { serveDeno } from "./serve.ts";

/** By Node's names, which User-Agents carry. */
const PLATFORMS: Readonly<Record<string, string>> = { windows: "win32" };
const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "x64", aarch64: "arm64" };
/** How long a terminal that takes no more is left alone. */
const PAUSE_MS = 5;

/** The Platform over Deno's own calls: `process` and node:fs would double the time to the first answer. */
export function createPlatform(): Platform {
  const environment: Record<string, string | undefined> = Deno.env.toObject();
  const scriptPath = pathOf(Deno.mainModule);
  // Deno does not tell the permissions it was started with; starting itself again needs these.
  const commandLine = [Deno.execPath(), "run", "--allow-all", "--no-config", scriptPath];
  const platform = PLATFORMS[Deno.build.os] ?? Deno.build.os;
  const system = { platform, readText: denoFiles.readText, environment: () => environment };
  return {
    runtime: { name: "deno", version: Deno.version.deno },
    os: { platform, arch: ARCHITECTURES[Deno.build.arch] ?? Deno.build.arch },
    homeDir: environment.HOME ?? environment.USERPROFILE ?? process.getBuiltinModule("node:os").homedir(),
    argv: Deno.args,
    scriptPath,
    commandLine,
    env: (name) => environment[name],
    environment: () => ({ ...environment }),
    createFetch: lazyFetch,
    listen: serveDeno,
    preload: () => preloadModules(import("../shared/processes.ts"), import("../shared/v8-memory.ts")),
    files: denoFiles,
    processes: createDenoProcesses(commandLine, system),
    clock: systemClock,
    memory: denoMemory,
    stdin: {
      isTerminal: () => Deno.stdin.isTerminal(),
      readText: () => new Response(Deno.stdin.readable).text(),
    },
    isTerminal: (stream) => Deno[stream].isTerminal(),
    write,
    writeAsync: (stream, text) => writeAll(Deno[stream], text),
  };
}

/** A file URL as a path; on Windows without the slash before the drive. */
function pathOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname).replace(/^\/(?=[A-Za-z]:)/, "");
}

/** Synchronous, so that nothing is lost at `exit`; a reader that has gone (`| head`) is no error. */
function write(stream: "stdout" | "stderr", text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length; ) {
    try {
      sent += Deno[stream].writeSync(bytes.subarray(sent));
    } catch (error) {
      // A pipe set to non-blocking is full, and its reader needs time.
      if (!(error instanceof Deno.errors.WouldBlock)) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}
