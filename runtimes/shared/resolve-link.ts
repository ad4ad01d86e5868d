import * as fs from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** The file that a symlink stands for, also one that is yet to be made; the path itself when it is no link. */
export async function resolveLink(path: string): Promise<string> {
  const resolved = await absentAsUndefined(fs.realpath(path));
  if (resolved !== undefined) return resolved;
  const link = await fs.readlink(path).catch(() => undefined);
  return link === undefined ? path : resolve(dirname(path), link);
}

/** Undefined where the file does not exist; any other failure rejects. */
export async function absentAsUndefined<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
