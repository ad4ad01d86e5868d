import { readFile } from "node:fs/promises";

/** Field 22 of /proc/<pid>/stat, counted behind the command name, which may hold spaces and brackets. */
const START_TIME_FIELD = 19;

/** States of a process that has ended; nobody may have asked for its exit code, as in a container without an init. */
const GONE = /^[ZX]/;

/** When a process started, as an opaque text; undefined when it is gone or the system does not tell. */
export function startMark(pid: number): Promise<string | undefined> {
  if (process.platform === "linux") return linuxStartTime(pid);
  return process.platform === "win32" ? Promise.resolve(undefined) : psStartTime(pid);
}

/** Clock ticks since boot, with the boot's own id: the count starts again at each boot. */
async function linuxStartTime(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (GONE.test(fields[0] ?? "")) return undefined;
    const ticks = fields[START_TIME_FIELD];
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
    return ticks && `${boot.trim()}:${ticks}`;
  } catch {
    return undefined;
  }
}

async function psStartTime(pid: number): Promise<string | undefined> {
  const { execFile } = await import("node:child_process");
  return new Promise((resolve) => {
    const args = ["-o", "stat=,lstart=", "-p", String(pid)];
    execFile("ps", args, { env: { ...process.env, LC_ALL: "C" } }, (error, stdout) => {
      const [state = "", ...start] = stdout.trim().split(/\s+/);
      resolve(error || GONE.test(state) ? undefined : start.join(" ") || undefined);
    });
  });
}
