import { LOG_PARTS_KEPT } from "../config/log-files.ts";
import type { FileStore } from "../platform.ts";

const PRIVATE_FILE = 0o600;
const DEFAULTS = { maxBytes: 10 * 1024 * 1024, keep: LOG_PARTS_KEPT };

export interface LogFileOptions {
  /** Bytes after which the file is set aside. */
  readonly maxBytes: number;
  /** Set-aside files kept: `<path>.1` is the youngest. */
  readonly keep: number;
}

/**
 * Appends to a log file and rotates it by size. Only one process writes it. Resolves in the order of the calls as long as
 * the caller waits for each; rejects when the disk refuses, and works again when it takes writes again.
 */
export function createLogFile(
  files: FileStore,
  path: string,
  options: LogFileOptions = DEFAULTS,
): (lines: string) => Promise<void> {
  let size: number | undefined;

  async function rotate(): Promise<void> {
    for (let number = options.keep - 1; number >= 1; number--) {
      await files.rename(`${path}.${number}`, `${path}.${number + 1}`).catch(() => {});
    }
    await files.rename(path, `${path}.1`);
    size = 0;
  }

  return async (lines) => {
    // Characters stand for bytes: the limit is a matter of order.
    size ??= (await files.stat(path).catch(() => undefined))?.size ?? 0;
    if (size > 0 && size + lines.length > options.maxBytes) await rotate().catch(() => {});
    await files.append(path, lines, PRIVATE_FILE);
    size += lines.length;
  };
}
