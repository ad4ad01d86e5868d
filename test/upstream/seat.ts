import { answer, messageItem } from "./answers.ts";
import { catalogueFor, MODELS_ETAG } from "./catalogue.ts";
import type { Exchange } from "./context.ts";
import { toEvents } from "./events.ts";
import { distort, toFrames } from "./faults.ts";
import { asString, isObject, type JsonObject } from "./json.ts";
import { detail } from "./refusal.ts";
import { edgeHeaders, sendJson } from "./reply.ts";
import { toResponseObject } from "./response-object.ts";
import { type Accepted, judgeSeat } from "./rules-seat.ts";
import { writeFrames } from "./sse-writer.ts";
import type { Caller } from "./tokens.ts";
import { promptTokens } from "./usage.ts";

const FIVE_HOURS = 18_000;
const ONE_WEEK = 604_800;

/** POST /backend-api/codex/responses. */
export async function answerSeatResponses(exchange: Exchange): Promise<void> {
  const { request, state } = exchange;
  const caller = seatCaller(exchange);
  const accepted = judgeSeat(request, caller, state.knownIds, state.options);
  await streamAnswer(exchange, accepted, {
    ...rateLimitHeaders(caller, state.now()),
    "openai-model": accepted.model.slug,
    "x-models-etag": MODELS_ETAG,
    "x-reasoning-included": "true",
    "x-codex-turn-state":
      asString(request.headers["x-codex-turn-state"]) || `ts-${request.connection}-${request.receivedAt}`,
  });
}

/** Streams the answer to an accepted request; shared with api.openai.com. */
export async function streamAnswer(
  exchange: Exchange,
  accepted: Accepted,
  headers: Record<string, string>,
): Promise<JsonObject> {
  const { behaviour, response, state } = exchange;
  const items = itemsFor(accepted, exchange);
  const usage = state.usage.measure(accepted, items);
  const object = toResponseObject(accepted, state.now());
  const fill = behaviour.fillOutput ?? (accepted.platform || state.options.fillOutput === true);
  const events = toEvents(object, items, usage, fill);
  const overflow = promptTokens(accepted) > accepted.model.maxContextWindow;
  const effective = overflow ? { ...behaviour, afterEvents: 2, terminal: OVERFLOW } : behaviour;
  const frames =
    behaviour.sse === undefined
      ? toFrames(distort(events, effective), effective)
      : [behaviour.sse.replaceAll("\n", behaviour.lineEnd ?? "\n")];
  const all = {
    ...edgeHeaders(),
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    ...headers,
    ...behaviour.headers,
  };
  await writeFrames(response, frames, all, effective);
  return { ...object, status: "completed", output: items, usage };
}

const OVERFLOW = {
  failed: "context_length_exceeded",
  message: "Your input exceeds the context window of this model. Please adjust your input and try again.",
};

/** The output items of an answer, remembered so that they can be referred to. */
export function itemsFor(accepted: Accepted, { behaviour, state }: Exchange): JsonObject[] {
  const scripted =
    behaviour.output?.filter(isObject) ?? (behaviour.text === undefined ? undefined : [messageItem(behaviour.text)]);
  const items = scripted ?? answer(accepted);
  for (const item of items) state.knownIds.add(asString(item.id));
  return items;
}

/** GET /backend-api/codex/models: for a ChatGPT login and for an API key alike. */
export function answerModels(exchange: Exchange): void {
  const { request, response } = exchange;
  if (!isApiKey(exchange)) seatCaller(exchange);
  sendJson(response, 200, catalogueFor(request.query.client_version), { etag: MODELS_ETAG });
}

/** GET /backend-api/wham/accounts/check. */
export function answerAccounts(exchange: Exchange): void {
  const caller = seatCaller(exchange);
  const account = {
    id: caller.account,
    name: "Personal",
    structure: "personal",
    plan_type: caller.plan,
    is_deactivated: false,
    is_fedramp_compliant_workspace: false,
    workspace_backend_origin: "https://chatgpt.com",
    account_routing_override: "NO_CONSTRAINT",
  };
  sendJson(exchange.response, 200, {
    accounts: [account],
    account_ordering: [caller.account],
    default_account_id: caller.account,
  });
}

/** GET /backend-api/wham/usage. */
export function answerUsage(exchange: Exchange): void {
  const caller = seatCaller(exchange);
  const seconds = Math.floor(exchange.state.now() / 1000);
  const window = (used_percent: number, limit_window_seconds: number, reset_after_seconds: number) => ({
    used_percent,
    limit_window_seconds,
    reset_after_seconds,
    reset_at: seconds + reset_after_seconds,
  });
  sendJson(exchange.response, 200, {
    user_id: "user-test",
    account_id: caller.account,
    email: "user@example.com",
    plan_type: caller.plan,
    rate_limit: {
      allowed: true,
      limit_reached: false,
      primary_window: window(12, FIVE_HOURS, 3600),
      secondary_window: window(40, ONE_WEEK, 86_400),
    },
    code_review_rate_limit: null,
    additional_rate_limits: [],
    credits: { has_credits: true, unlimited: false, overage_limit_reached: false, balance: "10" },
    rate_limit_reached_type: null,
  });
}

function seatCaller({ request, state }: Exchange): Caller {
  const caller = state.tokens.seatCaller(request.headers.authorization, state.now());
  const account = request.headers["chatgpt-account-id"];
  if (account !== undefined && account !== caller.account) throw detail("Forbidden", 403);
  return caller;
}

function isApiKey({ request, state }: Exchange): boolean {
  return state.tokens.apiKeys.has((request.headers.authorization ?? "").replace("Bearer ", ""));
}

function rateLimitHeaders(caller: Caller, now: number): Record<string, string> {
  const seconds = Math.floor(now / 1000);
  return {
    "x-codex-plan-type": caller.plan,
    "x-codex-active-limit": "premium",
    "x-codex-primary-used-percent": "12.5",
    "x-codex-primary-window-minutes": "300",
    "x-codex-primary-reset-at": String(seconds + 3600),
    "x-codex-primary-reset-after-seconds": "3600",
    "x-codex-secondary-used-percent": "40",
    "x-codex-secondary-window-minutes": "10080",
    "x-codex-secondary-reset-at": String(seconds + 86_400),
    "x-codex-secondary-reset-after-seconds": "86400",
    "x-codex-credits-has-credits": "True",
    "x-codex-credits-unlimited": "False",
    "x-codex-credits-balance": "10",
  };
}
