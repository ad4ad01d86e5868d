import type { Processes } from "../../src/platform.ts";
import { noteHeard } from "../shared/heard-signals.ts";
import { isAlive } from "../shared/is-alive.ts";
import { type StartMarkSystem, startMark } from "../shared/start-mark.ts";

/**
 * Processes over Deno's own calls. What a server does not do in its first second is left to node:child_process and
 * `process`: touching them costs as much as starting Deno.
 * @param self command line that starts this program again: executable, the runtime's own arguments, script.
 */
export function createDenoProcesses(self: readonly string[], system: StartMarkSystem): Processes {
  const loadShared = async (): Promise<Processes> =>
    (await import("../shared/processes.ts")).createProcesses(self, system);
  const isWindows = system.platform === "win32";

  function listen(signal: "SIGINT" | "SIGTERM" | "SIGHUP", callback: () => void): void {
    Deno.addSignalListener(signal, callback);
    noteHeard(signal);
  }

  return {
    pid: Deno.pid,
    spawnDetached: async (options) => (await loadShared()).spawnDetached(options),
    run: async (command, args, env) => (await loadShared()).run(command, args, env),
    isAlive,
    startMark: (pid) => startMark(system, pid),
    signal(pid, signal) {
      process.kill(pid, signal);
    },
    onShutdown(callback) {
      listen("SIGINT", callback);
      if (!isWindows) listen("SIGTERM", callback);
    },
    onReload(callback) {
      if (!isWindows) listen("SIGHUP", callback);
    },
    onUncaught(callback) {
      addEventListener("error", (event) => {
        event.preventDefault();
        callback(event.error);
      });
      addEventListener("unhandledrejection", (event) => {
        event.preventDefault();
        callback(event.reason);
      });
    },
    exit: (code) => Deno.exit(code),
    openUrl: async (url) => (await loadShared()).openUrl(url),
  };
}
