import type { Clock } from "../platform.ts";
import type { Lane } from "./lanes.ts";

/** What has been learnt holds so long: upstream's rules change. */
const REMEMBER_MS = 60 * 60_000;
const MOST_MODELS = 256;
const MOST_FIELDS = 32;

/** Fields that a model refuses by name whatever their value, so that only the first request is sent twice. */
export interface FieldMemory {
  /** Paths such as `text.verbosity` that are not to be sent. */
  refused(slug: string, lane: Lane): readonly string[];
  /** Upstream refused the field and answered without it. */
  learn(slug: string, lane: Lane, path: string): void;
}

export function createFieldMemory(clock: Pick<Clock, "now">): FieldMemory {
  const models = new Map<string, Map<string, number>>();
  return {
    refused(slug, lane) {
      const fields = models.get(`${lane} ${slug}`);
      if (!fields) return [];
      const now = clock.now();
      return [...fields].filter(([, until]) => until > now).map(([path]) => path);
    },
    learn(slug, lane, path) {
      const key = `${lane} ${slug}`;
      if (!models.has(key) && models.size >= MOST_MODELS) models.clear();
      const fields = models.get(key) ?? new Map<string, number>();
      if (fields.size >= MOST_FIELDS) fields.clear();
      models.set(key, fields.set(path, clock.now() + REMEMBER_MS));
    },
  };
}
