import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { lock } from "proper-lockfile";
import { ProxyError } from "../../src/errors.ts";
import { tellNodeOfSignals } from "./heard-signals.ts";

// The lock's library looks there for who else listens, to remove its locks at the end.
tellNodeOfSignals();

/** A holder that has not touched its lock for so long is dead: its owner renews it every half of this. */
const STALE_MS = 10_000;
/** About 30 seconds of waiting, so that a stale lock is outlived. */
const RETRIES = { retries: 120, factor: 1.2, minTimeout: 20, maxTimeout: 180, randomize: true };

/**
 * Runs `work` while holding `<path>.codex-api-proxy.lock`, a folder beside the file; the name is not one that Codex uses
 * for its own locks (`auth.lock`, `auth.json.lock`). Orders this program's processes; rejects when the lock is not had in time.
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const lockfilePath = `${path}.codex-api-proxy.lock`;
  let release: () => Promise<void>;
  try {
    release = await lock(path, {
      lockfilePath,
      realpath: false,
      stale: STALE_MS,
      retries: RETRIES,
      // The work goes on: it may be past the point where stopping is safe, and whoever took over re-reads the file.
      onCompromised() {},
    });
  } catch (error) {
    if ((error as { code?: string }).code !== "ELOCKED") throw error;
    throw new ProxyError(
      "internal",
      "another codex-api-proxy process holds the lock on a file for too long; try again",
      {
        code: "ELOCKED",
        cause: error,
      },
    );
  }
  try {
    return await work();
  } finally {
    // A lock that was lost has nothing to release.
    await release().catch(() => {});
  }
}
