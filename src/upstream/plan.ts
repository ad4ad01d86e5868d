import { hashUuid } from "../canonical/hash.ts";
import { legaliseNames } from "../canonical/names.ts";
import type { CanonicalRequest } from "../canonical/request.ts";
import type { ProxyConfig } from "../config/config.ts";
import type { HeaderReader } from "../dialects/dialect.ts";
import { ProxyError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import { cacheKeyOf } from "./cache-key.ts";
import type { CatalogueModel } from "./catalogue.ts";
import { laneNeeds, seatBody } from "./chatgpt.ts";
import { isNativeLite, withoutField, withoutReasoning } from "./corrections.ts";
import { createLossReport, type DroppedField } from "./dropped.ts";
import type { FieldMemory } from "./field-memory.ts";
import type { Lane, LaneMemory, SeatLane } from "./lanes.ts";
import { platformBody } from "./openai.ts";
import { resolveModel } from "./resolve-model.ts";
import { affinityHeaders, LITE_HEADER, nativeHeaders } from "./target.ts";

/** One request ready to be sent, but for credentials. */
export interface Plan {
  readonly slug: string;
  readonly lane: Lane;
  readonly body: JsonObject;
  /** Headers that belong to the body: lane, conversation. */
  readonly headers: Record<string, string>;
  readonly dropped: readonly DroppedField[];
  readonly maxOutputTokens: number | undefined;
  readonly restoreNames: ReadonlyMap<string, string> | undefined;
  /** The function whose arguments the answer's text is to be, in the name that was sent. */
  readonly forcedCall: string | undefined;
  /** The body is a Codex client's own. */
  readonly native: boolean;
}

/** What upstream's refusals of this request have taught so far. */
export interface Corrections {
  /** The lane to use, after the other was refused. */
  lane: SeatLane | undefined;
  /** The lite lane takes no `tool_choice` but `auto`. */
  plainChoice: boolean;
  /** Paths of fields to leave out. */
  readonly removed: string[];
  /** Those of them that the model refuses whatever their value. */
  readonly refused: string[];
  /** Reasoning items cannot be opened by upstream. */
  withoutReasoning: boolean;
}

export interface PlanContext {
  readonly config: ProxyConfig;
  readonly mode: "chatgpt" | "api_key";
  readonly models: readonly CatalogueModel[];
  readonly lanes: LaneMemory;
  readonly fields: FieldMemory;
  readonly header: HeaderReader;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Lays out a request for the backend in use.
 * @throws ProxyError `invalid_request` in strict mode when something of it could not be sent.
 */
export function makePlan(request: CanonicalRequest, corrections: Corrections, context: PlanContext): Plan {
  const { slug, effort } = resolveModel(request.body.model, context.models, context.config.modelAliases);
  if (request.native && context.mode === "chatgpt" && staysNative(slug, corrections, context))
    return nativePlan(request, slug, corrections, context);

  const { body, restore } = legaliseNames(request.body);
  const legal: CanonicalRequest = body === request.body ? request : { ...request, body };
  const loss = createLossReport(request.clientNames, request.dropped);
  const entry = context.models.find((model) => model.slug === slug);
  const sources = { body, nameEffort: effort, defaults: context.config.defaults, entry };
  const cacheKey = cacheKeyOf(request);
  const common = { slug, restoreNames: restore, forcedCall: undefined, native: false };
  const limit = typeof body.max_output_tokens === "number" ? body.max_output_tokens : undefined;

  let plan: Plan;
  if (context.mode === "api_key") {
    const sent = platformBody(legal, slug, cacheKey, sources, loss);
    const known = context.fields.refused(slug, "platform");
    const corrected = correct(request, sent.body, corrections, known, loss);
    plan = {
      ...common,
      lane: "platform",
      body: corrected,
      headers: {},
      dropped: loss.fields,
      maxOutputTokens: sent.maxOutputTokens,
    };
  } else {
    const lane = corrections.lane ?? context.lanes.choose(slug, entry, laneNeeds(body));
    const plainChoice = corrections.plainChoice || context.lanes.plainChoice(slug);
    const sent = seatBody({ request: legal, slug, cacheKey, sources, plainChoice }, lane, loss);
    const thread = affinityHeaders(UUID.test(cacheKey) ? cacheKey : hashUuid(cacheKey));
    const headers: Record<string, string> = request.native ? { ...thread, ...nativeHeaders(context.header) } : thread;
    if (lane === "lite") headers[LITE_HEADER] = "true";
    else if (LITE_HEADER in headers) delete headers[LITE_HEADER];
    plan = {
      ...common,
      lane,
      body: correct(request, sent.body, corrections, context.fields.refused(slug, lane), loss),
      forcedCall: sent.forcedCall,
      headers,
      dropped: loss.fields,
      maxOutputTokens: limit,
    };
  }
  if (context.config.strict) refuseLoss(plan.dropped);
  return plan;
}

/**
 * A Codex client behind a custom provider may not know that its model has the lite lane only: its classic body is then
 * put into that shape here.
 */
function staysNative(slug: string, corrections: Corrections, context: PlanContext): boolean {
  if (corrections.lane !== undefined) return false;
  return isNativeLite(context.header) || context.lanes.only(slug) !== "lite";
}

/** A Codex client's body goes as it is, with its headers. */
function nativePlan(
  request: CanonicalRequest,
  slug: string,
  corrections: Corrections,
  { header, fields }: PlanContext,
): Plan {
  const loss = createLossReport({});
  const lane = isNativeLite(header) ? "lite" : "classic";
  const sent = slug === request.body.model ? request.body : { ...request.body, model: slug };
  return {
    slug,
    lane,
    body: correct(request, sent, corrections, fields.refused(slug, lane), loss),
    headers: nativeHeaders(header),
    dropped: loss.fields,
    maxOutputTokens: undefined,
    restoreNames: undefined,
    forcedCall: undefined,
    native: true,
  };
}

/** @param known Fields that the model is known to refuse. */
function correct(
  request: CanonicalRequest,
  body: JsonObject,
  corrections: Corrections,
  known: readonly string[],
  loss: ReturnType<typeof createLossReport>,
): JsonObject {
  let corrected = corrections.withoutReasoning ? withoutReasoning(body) : body;
  for (const path of new Set([...known, ...corrections.removed])) {
    const before = corrected;
    corrected = withoutField(before, path);
    // What the proxy itself added is nobody's loss.
    if (corrected !== before && Object.hasOwn(request.body, path.split(/[.[]/, 1)[0] ?? "")) loss.drop(path);
  }
  return corrected;
}

function refuseLoss(dropped: readonly DroppedField[]): void {
  const lost = dropped.filter((field) => !field.honoured).map((field) => field.name);
  if (lost.length === 0) return;
  throw new ProxyError(
    "invalid_request",
    `this backend cannot honour ${lost.join(", ")}; leave it out, or turn strict mode off`,
    { param: lost[0] as string, code: "unsupported_parameter" },
  );
}
