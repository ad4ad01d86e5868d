import { type Bounds, createBoundedMap } from "./bounded-map.ts";
import { sizeOf } from "./size.ts";

/** Turns by id, each of which may continue another: a tree that grows at its leaves. */
export interface ChainStore<T> {
  /**
   * Keeps a turn. A turn whose predecessor has left is not kept: its history would be cut without anyone knowing.
   */
  put(id: string, turn: T, previousId?: string): void;
  get(id: string): T | undefined;
  /** The turn and all before it, oldest first. */
  lineage(id: string): T[] | undefined;
  delete(id: string): boolean;
}

interface Link<T> {
  readonly turn: T;
  readonly bytes: number;
  readonly previous: Link<T> | undefined;
  /** The entry itself and the turns that continue this one. */
  users: number;
}

export interface ChainEvents<T> {
  added?(turn: T): void;
  dropped?(turn: T): void;
}

/**
 * Each turn is held once, however many turns continue it, and as long as one of them is there: the newest turn of a
 * conversation always has its whole history, and the sum stays linear in the conversation's length.
 */
export function createChainStore<T>(bounds: Bounds, events: ChainEvents<T> = {}): ChainStore<T> {
  let bytes = 0;
  const links = createBoundedMap<Link<T>>(bounds, { held: () => bytes, removed: release });

  function release(link: Link<T>): void {
    for (let at: Link<T> | undefined = link; at; at = at.previous) {
      at.users--;
      if (at.users > 0) return;
      bytes -= at.bytes;
      events.dropped?.(at.turn);
    }
  }

  return {
    put(id, turn, previousId) {
      const previous = previousId === undefined ? undefined : links.get(previousId);
      if (previousId !== undefined && !previous) return;
      const link: Link<T> = { turn, bytes: sizeOf(turn), previous, users: 1 };
      if (previous) previous.users++;
      bytes += link.bytes;
      events.added?.(turn);
      links.set(id, link);
    },
    get: (id) => links.get(id)?.turn,
    lineage(id) {
      const turns: T[] = [];
      const leaf = links.get(id);
      for (let at = leaf; at; at = at.previous) turns.push(at.turn);
      return leaf && turns.reverse();
    },
    delete: (id) => links.delete(id),
  };
}
