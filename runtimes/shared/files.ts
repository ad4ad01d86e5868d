import { statSync } from "node:fs";
import * as fs from "node:fs/promises";
import type { FileStore } from "../../src/platform.ts";
import { createFileStore, type FileFacts } from "./file-store.ts";

/** Files over node:fs, for Node and Bun. */
export const fileStore: FileStore = createFileStore({
  readText: (path) => fs.readFile(path, "utf8"),
  append: (path, text, mode) => fs.appendFile(path, text, { mode }),
  rename: fs.rename,
  remove: (path) => fs.rm(path),
  makeDir: (path, mode) => fs.mkdir(path, { recursive: true, mode }),
  setMode: fs.chmod,
  facts,
  realPath: (path) => fs.realpath(path),
  readLink: (path) => fs.readlink(path),
  owner: (path) => fs.stat(path),
  setOwner: (path, { uid, gid }) => fs.chown(path, uid, gid),
  writeNew,
  syncFolder,
});

function facts(path: string): FileFacts {
  const stat = statSync(path, { bigint: true });
  return {
    size: Number(stat.size),
    mode: Number(stat.mode),
    regular: stat.isFile(),
    inode: String(stat.ino),
    modified: String(stat.mtimeNs),
    modifiedMs: Number(stat.mtimeMs),
  };
}

async function writeNew(path: string, text: string, mode: number, prepare: () => Promise<void>): Promise<void> {
  const file = await fs.open(path, "wx", mode);
  try {
    await prepare();
    await file.writeFile(text, "utf8");
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await fs.open(path, "r");
  await folder.sync().finally(() => folder.close());
}
