/** How far from 1 a correction may go: beyond that the count itself is wrong, or upstream counted something else. */
const LOWEST = 0.6;
const HIGHEST = 1.7;
/** Weight of one observation. */
const STEP = 0.3;
/** Models remembered; the names come from clients, so their number is bounded. */
const MAX_MODELS = 64;

/** A factor for each model between what was counted here and what upstream counted. */
export interface Correction {
  apply(model: string, counted: number): number;
  learn(model: string, counted: number, actual: number): void;
}

export function createCorrection(): Correction {
  const factors = new Map<string, number>();
  return {
    apply: (model, counted) => Math.max(1, Math.round(counted * (factors.get(model) ?? 1))),
    learn(model, counted, actual) {
      // A very small request says more about fixed overhead than about the ratio.
      if (counted < 50 || actual < 1) return;
      const seen = Math.min(HIGHEST, Math.max(LOWEST, actual / counted));
      const before = factors.get(model);
      factors.delete(model);
      factors.set(model, before === undefined ? seen : before + (seen - before) * STEP);
      if (factors.size > MAX_MODELS) factors.delete(factors.keys().next().value as string);
    },
  };
}
