import type { ProxyError } from "../errors.ts";
import type { Clock } from "../platform.ts";
import type { CatalogueModel } from "./catalogue.ts";
import type { LaneNeeds } from "./chatgpt.ts";

/** The two forms of the ChatGPT backend (Responses Lite and the full one), and api.openai.com. */
export type Lane = "lite" | "classic" | "platform";
export type SeatLane = Exclude<Lane, "platform">;

/** What has been learnt holds so long: models move between lanes. */
const REMEMBER_MS = 60 * 60_000;
const MOST_MODELS = 256;

/** Which lane a model answers in: the catalogue's flag as a hint, then experience. */
export interface LaneMemory {
  choose(slug: string, entry: CatalogueModel | undefined, needs: LaneNeeds): SeatLane;
  /** The only lane that the model has been seen to answer in; undefined while nothing is known. */
  only(slug: string): SeatLane | undefined;
  /** Upstream refused the model in this lane and answered in the other. */
  learn(slug: string, lane: SeatLane): void;
  /** True when the model has lately refused any `tool_choice` but `auto` in the lite lane. */
  plainChoice(slug: string): boolean;
  learnPlainChoice(slug: string): void;
}

export function createLaneMemory(clock: Clock): LaneMemory {
  const learnt = new Map<string, { lane: SeatLane; until: number }>();
  const plain = new Map<string, number>();
  const only = (slug: string): SeatLane | undefined => {
    const known = learnt.get(slug);
    return known && known.until > clock.now() ? known.lane : undefined;
  };
  return {
    only,
    choose(slug, entry, needs) {
      const known = only(slug);
      if (known) return known;
      if (!entry?.usesResponsesLite) return "classic";
      // The small family has never been seen in the full lane.
      if (slug.includes("luna")) return "lite";
      return needs.hosted || needs.parallel || needs.forced ? "classic" : "lite";
    },
    learn(slug, lane) {
      if (learnt.size >= MOST_MODELS) learnt.clear();
      learnt.set(slug, { lane, until: clock.now() + REMEMBER_MS });
    },
    plainChoice: (slug) => (plain.get(slug) ?? 0) > clock.now(),
    learnPlainChoice(slug) {
      if (plain.size >= MOST_MODELS) plain.clear();
      plain.set(slug, clock.now() + REMEMBER_MS);
    },
  };
}

export function otherLane(lane: SeatLane): SeatLane {
  return lane === "lite" ? "classic" : "lite";
}

/**
 * True when upstream's refusal is about the lane: `Model not found …` (404), or a 400 of the Responses Lite contract
 * ("requires `reasoning.context` to be `all_turns`", "does not support Responses Lite").
 */
export function isLaneRefusal(failure: ProxyError): boolean {
  const status = failure.details.upstream_status;
  if (status === 404) return /model not found/i.test(failure.message);
  if (status !== 400) return false;
  return (
    /responses.?lite/i.test(failure.message) ||
    /requires `?(?:reasoning\.context|parallel_tool_calls)`? to be/i.test(failure.message) ||
    /only supports function tools, custom tools/i.test(failure.message)
  );
}
