import { loadFileLock } from "./file-store.ts";
import type { LoadFetch } from "./lazy-fetch.ts";

/** Loads what a server needs only later; one that cannot be loaded fails again, and is told, where it is needed. */
export function preloadModules(loadFetch: LoadFetch, ...others: Promise<unknown>[]): void {
  void Promise.allSettled([loadFetch(), loadFileLock(), import("./content-decoders.ts"), ...others]);
}
