import { loadFileLock } from "./file-store.ts";
import { loadFetch } from "./upstream/lazy-fetch.ts";

/** Loads what a server needs only later; one that cannot be loaded fails again, and is told, where it is needed. */
export function preloadModules(...others: Promise<unknown>[]): void {
  void Promise.allSettled([loadFetch(), loadFileLock(), import("./upstream/content-decoders.ts"), ...others]);
}
