/** What a process and its children cost, from Linux' /proc. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const TICKS = Number(execFileSync("getconf", ["CLK_TCK"]));
const PAGE_KB = Number(execFileSync("getconf", ["PAGESIZE"])) / 1024;

/** CPU in ms so far, all threads and ended children included, and memory in MB of a process tree. */
export function costOf(rootPid) {
  const stats = new Map();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(Number(name));
    if (stat) stats.set(Number(name), stat);
  }
  const belongs = (pid) => pid === rootPid || (stats.has(pid) && belongs(stats.get(pid).parent));
  const own = [...stats].filter(([pid]) => belongs(pid)).map(([, stat]) => stat);
  const sum = (field) => own.reduce((total, stat) => total + stat[field], 0);
  return { cpuMs: sum("cpuMs"), rssMb: (sum("pages") * PAGE_KB) / 1024 };
}

function readStat(pid) {
  try {
    // The program's name, in parentheses, may hold spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1).split(" ").map(Number);
    const ticks = fields[11] + fields[12] + fields[13] + fields[14];
    return { parent: fields[1], cpuMs: Math.max((ticks / TICKS) * 1000, threadsMs(pid)), pages: fields[21] };
  } catch {
    return undefined;
  }
}

/** What a process's threads have run, finer than the kernel's ticks of 10 ms, but without threads and children that have ended. */
function threadsMs(pid) {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")[0]);
  }
  return nanoseconds / 1e6;
}
