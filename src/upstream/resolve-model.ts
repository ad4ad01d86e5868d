import type { CatalogueModel } from "./catalogue.ts";
import { EFFORTS } from "./effort.ts";

/** What a client's model name stands for. */
export interface ResolvedModel {
  /** The name to send upstream. */
  readonly slug: string;
  /** The effort that the name's suffix asks for. */
  readonly effort: string | undefined;
}

const TIER_WORDS = /^(?:opus|sonnet|haiku|opusplan|best|default)$/;
/** Light models by the family names that the catalogue has used. */
const LIGHT = /(?:^|[-_.])(?:luna|mini|nano|flash|lite|spark)(?:[-_.]|$)/;
const DATE = /-(?:20\d{2}-?\d{2}-?\d{2}|latest)$/;

/**
 * A client's model name → the slug to send. In this order: a name that the user's aliases or the catalogue have as it
 * is; an effort suffix (`-high`, `(high)`) on any name that is known; the aliases' patterns; a catalogue slug with a
 * date suffix or the prefix `claude-`, under which model pickers list it; `auto`, the catalogue's first; Claude names by
 * tier, the light model for haiku and the catalogue's first for the others. Any other name goes upstream as it is:
 * hidden models exist.
 */
export function resolveModel(
  name: string,
  models: readonly CatalogueModel[],
  aliases: Readonly<Record<string, string>> = {},
): ResolvedModel {
  // Claude Code marks its wish for the long context window so.
  const plain = name.trim().replace(/\[\w+\]$/, "");
  if (!Object.hasOwn(aliases, plain) && isListed(plain, models) === undefined) {
    const bracketed = /^(.*?)\s*\(\s*([a-z]+)\s*\)$/.exec(plain);
    if (bracketed && isEffort(bracketed[2])) {
      const base = bracketed[1] as string;
      return { slug: lookUp(base, models, aliases)?.slug ?? base, effort: bracketed[2] };
    }
    const dashed = /^(.+)-([a-z]+)$/.exec(plain);
    // Only on a base that is known: a hidden model may be named so.
    const base = dashed && isEffort(dashed[2]) ? lookUp(dashed[1] as string, models, aliases) : undefined;
    if (base) return { slug: base.slug, effort: dashed?.[2] };
  }
  return lookUp(plain, models, aliases) ?? { slug: plain === "" ? name : plain, effort: undefined };
}

function lookUp(
  name: string,
  models: readonly CatalogueModel[],
  aliases: Readonly<Record<string, string>>,
): ResolvedModel | undefined {
  const alias = aliasOf(name, aliases);
  if (alias !== undefined && alias !== name) return resolveModel(alias, models);
  const slug =
    isListed(name, models) ??
    isListed(name.replace(DATE, ""), models) ??
    isListed(name.replace(/^claude-/, ""), models) ??
    byTier(name, models);
  return slug === undefined ? undefined : { slug, effort: undefined };
}

function isListed(name: string, models: readonly CatalogueModel[]): string | undefined {
  return models.some((model) => model.slug === name) ? name : undefined;
}

function byTier(name: string, models: readonly CatalogueModel[]): string | undefined {
  const auto = name === "auto";
  if (!auto && !name.startsWith("claude") && !TIER_WORDS.test(name)) return undefined;
  const listed = models.filter((model) => model.listed).sort((one, other) => one.priority - other.priority);
  const first = listed[0]?.slug;
  if (auto || !name.includes("haiku")) return first;
  return listed.find((model) => LIGHT.test(model.slug))?.slug ?? listed.at(-1)?.slug;
}

/** The alias for a name: an exact one first, then the first pattern in which `*` stands for any run of characters. */
function aliasOf(name: string, aliases: Readonly<Record<string, string>>): string | undefined {
  if (Object.hasOwn(aliases, name)) return aliases[name];
  for (const [pattern, target] of Object.entries(aliases)) {
    if (!pattern.includes("*")) continue;
    const expression = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    if (new RegExp(`^${expression.join(".*")}$`).test(name)) return target;
  }
  return undefined;
}

function isEffort(word: string | undefined): boolean {
  return word !== undefined && (EFFORTS as readonly string[]).includes(word);
}
