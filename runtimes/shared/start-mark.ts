import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import process from "node:process";

/** Field 22 of /proc/<pid>/stat, counted behind the command name, which may hold spaces and brackets. */
const START_TIME_FIELD = 19;

/** When a process started, as an opaque text; undefined when it is gone or the system does not tell. */
export function startMark(pid: number): Promise<string | undefined> {
  if (process.platform === "linux") return linuxStartTime(pid);
  return process.platform === "win32" ? Promise.resolve(undefined) : psStartTime(pid);
}

/** Clock ticks since boot, with the boot's own id: the count starts again at each boot. */
async function linuxStartTime(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[START_TIME_FIELD];
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
    return ticks && `${boot.trim()}:${ticks}`;
  } catch {
    return undefined;
  }
}

function psStartTime(pid: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile("ps", ["-o", "lstart=", "-p", String(pid)], { env: { ...process.env, LC_ALL: "C" } }, (error, stdout) =>
      resolve(error ? undefined : stdout.trim() || undefined),
    );
  });
}
