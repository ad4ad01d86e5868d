import type { FileStore } from "../../src/platform.ts";
import { createFileStore, type FileFacts, type Owner } from "../shared/file-store.ts";

/** Files over Deno's own calls: node:fs and what it brings are a third of a server's start. */
export const denoFiles: FileStore = createFileStore({
  readText: Deno.readTextFile,
  append: (path, text, mode) => Deno.writeTextFile(path, text, { append: true, mode }),
  rename: Deno.rename,
  remove: (path) => Deno.remove(path),
  makeDir: (path, mode) => Deno.mkdir(path, { recursive: true, mode }),
  setMode: Deno.chmod,
  facts,
  realPath: Deno.realPath,
  readLink: Deno.readLink,
  owner,
  setOwner: (path, { uid, gid }) => Deno.chown(path, uid, gid),
  writeNew,
  syncFolder,
});

function facts(path: string): FileFacts {
  const { size, mode, isFile, ino, mtime } = Deno.statSync(path);
  const modifiedMs = mtime?.getTime() ?? 0;
  // Systems that tell no mode have no other users' access in it either.
  return {
    size,
    mode: mode ?? 0o600,
    regular: isFile,
    inode: String(ino),
    modified: String(modifiedMs),
    modifiedMs,
  };
}

async function owner(path: string): Promise<Owner | undefined> {
  const { uid, gid } = await Deno.stat(path);
  return uid === null || gid === null ? undefined : { uid, gid };
}

async function writeNew(path: string, text: string, mode: number, prepare: () => Promise<void>): Promise<void> {
  const file = await Deno.open(path, { createNew: true, write: true, mode });
  try {
    await prepare();
    await writeAll(file, text);
    await file.sync();
  } finally {
    file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await Deno.open(path);
  await folder.sync().finally(() => folder.close());
}

/** Deno writes as much at a time as the file or the pipe takes. */
export async function writeAll(to: { write(bytes: Uint8Array): Promise<number> }, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length; ) sent += await to.write(bytes.subarray(sent));
}
