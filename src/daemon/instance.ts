import { isObject } from "../json.ts";
import type { FileStore, Processes } from "../platform.ts";

const PRIVATE_FILE = 0o600;

/** What a running server tells of itself in a private file beside its pid file. */
export interface Instance {
  readonly pid: number;
  /** Start mark of the process, so that another with the same pid is not taken for it; undefined where none is to be had. */
  readonly startMark: string | undefined;
  readonly host: string;
  /** The port it listens on. */
  readonly port: number;
  readonly version: string;
  /** `node 20.18.1`. */
  readonly runtime: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Accepted by this instance alone, where clients need a key: lets the CLI ask its own server. */
  readonly controlKey: string | undefined;
}

interface Deps {
  readonly files: FileStore;
  readonly processes: Processes;
}

/** The pid file holds the pid alone, for `kill $(cat …)`; what goes with it is here. */
const instanceFile = (pidFile: string): string => `${pidFile}.json`;

/**
 * The server that runs under a pid file; undefined when there is none, also when its pid now belongs to another process or
 * cannot be shown to be ours.
 */
export async function findInstance({ files, processes }: Deps, pidFile: string): Promise<Instance | undefined> {
  const instance = await readInstance(files, pidFile);
  if (!instance || !processes.isAlive(instance.pid)) return undefined;
  const mark = await processes.startMark(instance.pid);
  return mark === instance.startMark ? instance : undefined;
}

/** What the files say, whether or not the process lives. */
async function readInstance(files: FileStore, pidFile: string): Promise<Instance | undefined> {
  const [pidText, text] = await Promise.all([files.readText(pidFile), files.readText(instanceFile(pidFile))]);
  const pid = Number(pidText?.trim());
  if (!Number.isInteger(pid) || pid <= 0 || text === undefined) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(parsed) || parsed.pid !== pid) return undefined;
  const { start_mark, host, port, version, runtime, started_at, control_key } = parsed;
  if (typeof host !== "string" || typeof port !== "number") return undefined;
  return {
    pid,
    startMark: typeof start_mark === "string" ? start_mark : undefined,
    host,
    port,
    version: String(version),
    runtime: String(runtime),
    startedAt: Number(started_at),
    controlKey: typeof control_key === "string" ? control_key : undefined,
  };
}

/** Written once the server listens: the pid file last, as the sign that all is told. */
export async function writeInstance(files: FileStore, pidFile: string, instance: Instance): Promise<void> {
  const { pid, startMark, host, port, version, runtime, startedAt, controlKey } = instance;
  const record = {
    pid,
    start_mark: startMark,
    host,
    port,
    version,
    runtime,
    started_at: startedAt,
    control_key: controlKey,
  };
  await files.writeTextAtomic(instanceFile(pidFile), `${JSON.stringify(record, null, 2)}\n`, PRIVATE_FILE);
  await files.writeTextAtomic(pidFile, `${pid}\n`, PRIVATE_FILE);
}

/** Removes the files, unless another server has written its own meanwhile. */
export async function removeInstance(files: FileStore, pidFile: string, pid: number): Promise<void> {
  const current = Number((await files.readText(pidFile))?.trim());
  if (current !== pid) return;
  await files.remove(pidFile);
  await files.remove(instanceFile(pidFile));
}
