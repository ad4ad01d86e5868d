import { olderLogs } from "../config/log-files.ts";
import type { FileStore } from "../platform.ts";

/** Reads a growing file piece by piece, over its rotation. */
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
      let before = "";
      if (stat.size < size) {
        before = await endOfOlder(seen);
        seen = 0;
      }
      stamp = stat.stamp;
      size = stat.size;
      const text = (await files.readText(path)) ?? "";
      const added = text.slice(seen);
      seen = text.length;
      return before + added;
    },
  };

  /** What was written between the last look and the moment when the file was set aside. */
  async function endOfOlder(from: number): Promise<string> {
    const [youngest = ""] = olderLogs(path);
    return ((await files.readText(youngest)) ?? "").slice(from);
  }
}
