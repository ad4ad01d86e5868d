/** Every effort level that upstream or a client knows, weakest first. */
export const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"] as const;

const RANK: ReadonlyMap<string, number> = new Map(EFFORTS.map((effort, rank) => [effort, rank]));

/**
 * The level to send for a wanted one. Upstream refuses levels that the model's catalogue entry does not list, and raw
 * `ultra` always: it goes as `xhigh`, as Codex sends it. Else the next weaker listed level, or the lowest there is.
 * A name that is no level at all goes as it is, so that upstream's refusal reaches the client.
 * @param levels The catalogue's levels; empty when the model is not in it.
 */
export function clampEffort(wanted: string, levels: readonly string[]): string {
  const asked = wanted === "ultra" ? "xhigh" : wanted;
  const rank = RANK.get(asked);
  if (rank === undefined) return asked;
  if (levels.length === 0) return asked === "minimal" ? "low" : asked;
  if (levels.includes(asked)) return asked;
  const listed = sorted(levels);
  const weaker = listed.filter((level) => (RANK.get(level) ?? 0) < rank);
  return weaker.at(-1) ?? listed[0] ?? asked;
}

/** The weakest listed level; `low` when the model is not in the catalogue. */
export function lowestEffort(levels: readonly string[]): string {
  return sorted(levels)[0] ?? "low";
}

function sorted(levels: readonly string[]): string[] {
  return levels
    .filter((level) => level !== "ultra" && RANK.has(level))
    .sort((one, other) => (RANK.get(one) ?? 0) - (RANK.get(other) ?? 0));
}
