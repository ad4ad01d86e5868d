/** Field 22 of /proc/<pid>/stat, counted behind the command name, which may hold spaces and brackets. */
const START_TIME_FIELD = 19;

/** States of a process that has ended; nobody may have asked for its exit code, as in a container without an init. */
const GONE = /^[ZX]/;

/** What tells one process from another of the same pid. */
export interface StartMarkSystem {
  /** `linux`, `darwin`, `win32`. */
  readonly platform: string;
  /** Undefined when there is no such file. */
  readText(path: string): Promise<string | undefined>;
  environment(): Record<string, string | undefined>;
}

/** When a process started, as an opaque text; undefined when it is gone or the system does not tell. */
export function startMark(system: StartMarkSystem, pid: number): Promise<string | undefined> {
  if (system.platform === "linux") return linuxStartTime(system, pid);
  return system.platform === "win32" ? Promise.resolve(undefined) : psStartTime(system, pid);
}

/** Clock ticks since boot, with the boot's own id: the count starts again at each boot. */
async function linuxStartTime({ readText }: StartMarkSystem, pid: number): Promise<string | undefined> {
  try {
    const stat = await readText(`/proc/${pid}/stat`);
    if (stat === undefined) return undefined;
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (GONE.test(fields[0] ?? "")) return undefined;
    const ticks = fields[START_TIME_FIELD];
    const boot = await readText("/proc/sys/kernel/random/boot_id").catch(() => undefined);
    return ticks && `${boot?.trim() ?? ""}:${ticks}`;
  } catch {
    return undefined;
  }
}

async function psStartTime({ environment }: StartMarkSystem, pid: number): Promise<string | undefined> {
  const { execFile } = await import("node:child_process");
  return new Promise((resolve) => {
    const args = ["-o", "stat=,lstart=", "-p", String(pid)];
    execFile("ps", args, { env: { ...environment(), LC_ALL: "C" } }, (error, stdout) => {
      const [state = "", ...start] = stdout.trim().split(/\s+/);
      resolve(error || GONE.test(state) ? undefined : start.join(" ") || undefined);
    });
  });
}
