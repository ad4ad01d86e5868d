import type { FileStore } from "../../src/platform.ts";

/** What a runtime knows of a file, at once: asked at every request, where a turn through a thread pool costs fifty times the call. */
export interface FileFacts {
  readonly size: number;
  /** As the system gives it. */
  readonly mode: number;
  readonly regular: boolean;
  readonly inode: string;
  /** As fine as the runtime tells it. */
  readonly modified: string;
  readonly modifiedMs: number;
}

/** A runtime's file calls. They reject, or throw, with the system's `code`; `ENOENT` or `ENOTDIR` where there is no such file. */
export interface FileCalls {
  readText(path: string): Promise<string>;
  append(path: string, text: string, mode: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file. */
  remove(path: string): Promise<void>;
  /** With the folders between; bears one that exists. */
  makeDir(path: string, mode: number): Promise<unknown>;
  setMode(path: string, mode: number): Promise<void>;
  facts(path: string): FileFacts;
  realPath(path: string): Promise<string>;
  readLink(path: string): Promise<string>;
  /** Undefined where files have no owner. */
  owner(path: string): Promise<Owner | undefined>;
  setOwner(path: string, owner: Owner): Promise<void>;
  /** Creates a file, exclusively and with its final mode, and syncs it to the disk; `prepare` comes before its text. */
  writeNew(path: string, text: string, mode: number, prepare: () => Promise<void>): Promise<void>;
  /** Syncs a folder: makes a rename in it durable. */
  syncFolder(path: string): Promise<void>;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Clocks of file systems go in steps, the coarsest of two seconds: two writes within one leave the same mtime. */
const YOUNG_MS = 2_000;

/** The lock's library is loaded when a lock is first taken, not at every start. */
export const loadFileLock = () => import("./file-lock.ts");

/** Files over a runtime's own calls. */
export function createFileStore(calls: FileCalls): FileStore {
  let asked = 0;

  /**
   * Temp file created exclusively with its final mode, written, synced, renamed over the target. A reader sees the old text
   * or the new one; after a crash too.
   */
  async function writeTextAtomic(path: string, text: string, mode: number): Promise<void> {
    const target = await resolveLink(path);
    const temp = `${target}.${crypto.randomUUID()}.tmp`;
    try {
      await calls.writeNew(temp, text, mode, () => keepOwner(temp, target));
      await calls.rename(temp, target);
    } catch (error) {
      await absentAsUndefined(calls.remove(temp));
      throw error;
    }
    // Where folders cannot be synced (Windows) there is nothing to do.
    await calls.syncFolder(folderOf(target)).catch(() => {});
  }

  /** The file that a symlink stands for, also one that is yet to be made; the path itself when it is no link. */
  async function resolveLink(path: string): Promise<string> {
    const resolved = await absentAsUndefined(calls.realPath(path));
    if (resolved !== undefined) return resolved;
    const link = await calls.readLink(path).catch(() => undefined);
    if (link === undefined) return path;
    return link.startsWith("/") ? link : `${folderOf(path)}/${link}`;
  }

  /** A container's root must not take a user's file away from the user. */
  async function keepOwner(path: string, target: string): Promise<void> {
    const before = await absentAsUndefined(calls.owner(target));
    const now = await calls.owner(path);
    if (before === undefined || (before.uid === now?.uid && before.gid === now.gid)) return;
    await calls.setOwner(path, before).catch(() => {});
  }

  return {
    readText: (path) => absentAsUndefined(calls.readText(path)),
    writeTextAtomic,
    append: calls.append,
    rename: calls.rename,
    remove: (path) => absentAsUndefined(calls.remove(path)),
    makeDir: async (path, mode) => void (await calls.makeDir(path, mode)),
    setMode: calls.setMode,
    async stat(path) {
      let facts: FileFacts;
      try {
        facts = calls.facts(path);
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
      const { size, mode, regular, inode, modified, modifiedMs } = facts;
      const isYoung = Math.abs(Date.now() - modifiedMs) < YOUNG_MS;
      return {
        size,
        mode: mode & 0o777,
        regular,
        stamp: `${inode}-${size}-${modified}${isYoung ? `-${++asked}` : ""}`,
      };
    },
    async withLock(path, work) {
      const { withFileLock } = await loadFileLock();
      return withFileLock(await resolveLink(path), work);
    },
  };
}

/** Undefined where the file does not exist; any other failure rejects. */
async function absentAsUndefined<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === "ENOENT" || code === "ENOTDIR";
}

/** The folder of a path with slashes. */
function folderOf(path: string): string {
  const end = path.lastIndexOf("/");
  if (end < 0) return ".";
  return end === 0 ? "/" : path.slice(0, end);
}
