import { olderLogs } from "../config/log-files.ts";
import type { Settings } from "../config/options.ts";
import { stateFolder } from "../config/settings.ts";
import type { Platform } from "../platform.ts";
import { handOver } from "./handover.ts";
import { findInstance, type Instance } from "./instance.ts";

const POLL_MS = 50;
/** A slow machine's first start, with a cold disk. */
const READY_WITHIN_MS = 20_000;
const TAIL_LINES = 12;
const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;

/** The server did not come up; `logTail` is what it wrote to its log. */
export class LaunchError extends Error {
  override readonly name = "LaunchError";
  readonly logTail: string;
  constructor(message: string, logTail: string) {
    super(message);
    this.logTail = logTail;
  }
}

/**
 * Starts the server in the background; resolves once it listens and has written its files.
 * @throws LaunchError when it ends before, or takes too long (it is ended then).
 */
export async function launch(platform: Platform, settings: Settings): Promise<Instance> {
  const { files, processes, clock } = platform;
  await makeFolders(platform, settings);
  // Created here, so that it is private from its first byte.
  await files.append(settings.log_file, "", PRIVATE_FILE);
  const logStart = (await files.stat(settings.log_file))?.size ?? 0;
  const pid = await processes.spawnDetached({
    args: ["serve"],
    env: await handOver(platform.environment(), settings),
    logPath: settings.log_file,
  });
  const mark = await processes.startMark(pid);
  const deadline = clock.now() + READY_WITHIN_MS;
  while (clock.now() < deadline) {
    const instance = await findInstance(platform, settings.pid_file);
    if (instance?.pid === pid) return instance;
    // The mark tells of a child that has ended and whose exit code this runtime has not asked for yet.
    const ended = !processes.isAlive(pid) || (await processes.startMark(pid)) !== mark;
    if (ended) throw new LaunchError("codex-api-proxy could not start", await tail(logStart));
    await clock.sleep(POLL_MS);
  }
  processes.signal(pid, "SIGKILL");
  throw new LaunchError(
    `codex-api-proxy did not answer within ${READY_WITHIN_MS / 1000} seconds and was ended`,
    await tail(logStart),
  );

  async function tail(from: number): Promise<string> {
    const text = (await files.readText(settings.log_file).catch(() => "")) ?? "";
    const lines = new TextDecoder().decode(new TextEncoder().encode(text).subarray(from)).trimEnd().split("\n");
    return lines.slice(-TAIL_LINES).join("\n");
  }
}

/**
 * Folders of the server's files, private when they are made here. What an older version, or a copied home, left open to others
 * in the state folder is closed; elsewhere a file may not be ours alone.
 */
export async function makeFolders(
  { files, homeDir }: Pick<Platform, "files" | "homeDir">,
  settings: Settings,
): Promise<void> {
  const paths = [settings.pid_file, settings.log_file, settings.state_file];
  const folders = paths.map((path) => path.replace(/[/\\][^/\\]*$/, "")).filter((folder) => folder !== "");
  for (const folder of new Set(folders)) await files.makeDir(folder, PRIVATE_FOLDER);
  const own = stateFolder(homeDir);
  if (!folders.includes(own)) return;
  await files.setMode(own, PRIVATE_FOLDER).catch(() => {});
  const { log_file: log } = settings;
  const kept = [log, ...olderLogs(log), ...paths].filter((path) => path.startsWith(`${own}/`));
  await Promise.all(kept.map((path) => files.setMode(path, PRIVATE_FILE).catch(() => {})));
}
