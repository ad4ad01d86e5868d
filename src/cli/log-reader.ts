import type { FileStore } from "../platform.ts";

/** Reads a growing file piece by piece; begins anew when it was rotated. */
export function createReader(files: FileStore, path: string): { next(): Promise<string | undefined> } {
  let seen = 0;
  let size = 0;
  let stamp = "";
  return {
    /** What was added since the last call; the whole file at first; undefined when there is none. */
    async next() {
      const stat = await files.stat(path);
      if (!stat) return undefined;
      if (stat.stamp === stamp) return "";
      if (stat.size < size) seen = 0;
      stamp = stat.stamp;
      size = stat.size;
      const text = (await files.readText(path)) ?? "";
      const added = text.slice(seen);
      seen = text.length;
      return added;
    },
  };
}
