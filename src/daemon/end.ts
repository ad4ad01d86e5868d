import type { Platform } from "../platform.ts";
import { type Instance, removeInstance } from "./instance.ts";

const POLL_MS = 50;
/** Longer than the server's own draining. */
const TERM_WITHIN_MS = 15_000;
const KILL_WITHIN_MS = 5_000;

/**
 * Ends a running server: TERM, then KILL when it has not drained in time.
 * @returns how it ended; `alive` when even KILL did not help.
 */
export async function endInstance(
  platform: Pick<Platform, "files" | "processes" | "clock">,
  pidFile: string,
  instance: Instance,
): Promise<"ended" | "killed" | "alive"> {
  let outcome: "ended" | "killed" | "alive" = "ended";
  signal("SIGTERM");
  if (!(await gone(TERM_WITHIN_MS))) {
    outcome = "killed";
    signal("SIGKILL");
    if (!(await gone(KILL_WITHIN_MS))) return "alive";
  }
  await removeInstance(platform.files, pidFile, instance.pid);
  return outcome;

  function signal(name: "SIGTERM" | "SIGKILL"): void {
    try {
      platform.processes.signal(instance.pid, name);
    } catch (error) {
      // It ended by itself meanwhile.
      if ((error as { code?: string }).code !== "ESRCH") throw error;
    }
  }

  /** The pid is free, or another process has it. */
  async function gone(withinMs: number): Promise<boolean> {
    const { processes, clock } = platform;
    const deadline = clock.now() + withinMs;
    for (;;) {
      if (!processes.isAlive(instance.pid)) return true;
      if ((await processes.startMark(instance.pid)) !== instance.startMark) return true;
      if (clock.now() >= deadline) return false;
      await clock.sleep(POLL_MS);
    }
  }
}
