import type { Clock } from "../platform.ts";

/** How much a memory may hold, and for how long. */
export interface Bounds {
  readonly clock: Pick<Clock, "now">;
  readonly maxEntries: number;
  /** Seconds after its last use that an entry is kept. */
  readonly ttlSeconds: number;
  /** Approximate size of all that is held; 64 MiB when absent. */
  readonly maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

/** Key → value, least recently used out first. */
export interface BoundedMap<V> {
  /** Counts as a use. */
  get(key: string): V | undefined;
  /** Replaces an entry of the same key; drops the oldest until all bounds hold. */
  set(key: string, value: V): void;
  delete(key: string): boolean;
  readonly size: number;
}

interface Entry<V> {
  value: V;
  usedAt: number;
}

export interface Weights<V> {
  /** Bytes of all that is held now; entries may share what they hold. */
  held(): number;
  /** An entry has left, by age, by bounds or by `delete`. */
  removed(value: V): void;
}

/**
 * A map bounded by entries, by bytes and by time. An entry in use stays; since every use moves it to the end, the first
 * entry is always the one to go next.
 */
export function createBoundedMap<V>(bounds: Bounds, weights: Weights<V>): BoundedMap<V> {
  const entries = new Map<string, Entry<V>>();
  const { clock, maxEntries, maxBytes = DEFAULT_MAX_BYTES } = bounds;
  const ttl = bounds.ttlSeconds * 1000;

  function remove(key: string): boolean {
    const entry = entries.get(key);
    if (!entry) return false;
    entries.delete(key);
    weights.removed(entry.value);
    return true;
  }

  function shrink(now: number): void {
    for (const [key, entry] of entries) {
      const over = entries.size > maxEntries || weights.held() > maxBytes;
      if (!over && now - entry.usedAt < ttl) return;
      remove(key);
    }
  }

  return {
    get(key) {
      const now = clock.now();
      shrink(now);
      const entry = entries.get(key);
      if (!entry) return undefined;
      entries.delete(key);
      entries.set(key, { value: entry.value, usedAt: now });
      return entry.value;
    },
    set(key, value) {
      remove(key);
      const now = clock.now();
      entries.set(key, { value, usedAt: now });
      shrink(now);
    },
    delete: remove,
    get size() {
      return entries.size;
    },
  };
}
