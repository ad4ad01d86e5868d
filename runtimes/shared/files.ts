import { statSync } from "node:fs";
import * as fs from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { FileStore } from "../../src/platform.ts";
import { absentAsUndefined, resolveLink } from "./resolve-link.ts";

/** Clocks of file systems go in steps, the coarsest of two seconds: two writes within one leave the same mtime. */
const YOUNG_MS = 2_000;
let asked = 0;

/** The lock's library is loaded when a lock is first taken, not at every start. */
export const loadFileLock = () => import("./file-lock.ts");

/** Files over node:fs, which Node, Bun and Deno all implement. */
export const fileStore: FileStore = {
  readText: (path) => absentAsUndefined(fs.readFile(path, "utf8")),
  writeTextAtomic,
  append: (path, text, mode) => fs.appendFile(path, text, { mode }),
  rename: (from, to) => fs.rename(from, to),
  remove: (path) => fs.rm(path, { force: true }),
  makeDir: async (path, mode) => void (await fs.mkdir(path, { recursive: true, mode })),
  setMode: (path, mode) => fs.chmod(path, mode),
  async stat(path) {
    // Asked at every request: a turn through the thread pool costs fifty times the call.
    const found = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (found === undefined) return undefined;
    const isYoung = Math.abs(Date.now() - Number(found.mtimeMs)) < YOUNG_MS;
    return {
      size: Number(found.size),
      mode: Number(found.mode & 0o777n),
      stamp: `${found.ino}-${found.size}-${found.mtimeNs}${isYoung ? `-${++asked}` : ""}`,
    };
  },
  async withLock(path, work) {
    const { withFileLock } = await loadFileLock();
    return withFileLock(await resolveLink(path), work);
  },
};

/**
 * Temp file created exclusively with its final mode, written, synced, renamed over the target. A reader sees the old text
 * or the new one; after a crash too.
 */
async function writeTextAtomic(path: string, text: string, mode: number): Promise<void> {
  const target = await resolveLink(path);
  const temp = join(dirname(target), `.${basename(target)}.${crypto.randomUUID()}.tmp`);
  const file = await fs.open(temp, "wx", mode);
  try {
    try {
      await keepOwner(file, target);
      await file.writeFile(text, "utf8");
      await file.sync();
    } finally {
      await file.close();
    }
    await fs.rename(temp, target);
  } catch (error) {
    await fs.rm(temp, { force: true });
    throw error;
  }
  await syncDirectory(dirname(target));
}

/** A container's root must not take a user's file away from the user. */
async function keepOwner(file: fs.FileHandle, target: string): Promise<void> {
  const before = await absentAsUndefined(fs.stat(target));
  const now = await file.stat();
  if (before === undefined || (before.uid === now.uid && before.gid === now.gid)) return;
  await file.chown(before.uid, before.gid).catch(() => {});
}

/** Makes the rename itself durable; where folders cannot be synced (Windows) there is nothing to do. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await fs.open(path, "r").catch(() => undefined);
  if (directory === undefined) return;
  await directory.sync().catch(() => {});
  await directory.close();
}
