import type { CanonicalRequest } from "../canonical/request.ts";
import type { ProxyConfig } from "../config/config.ts";
import type { CredentialSession, Credentials } from "../credentials/credentials.ts";
import type { HeaderReader } from "../dialects/dialect.ts";
import { ProxyError } from "../errors.ts";
import type { Log } from "../observability/log.ts";
import type { Metrics } from "../observability/metrics.ts";
import type { Answer, CancelSignal, Clock, UpstreamFetch, UpstreamResponse } from "../platform.ts";
import { answerHeaders } from "./answer-headers.ts";
import type { AttemptBudget } from "./attempts.ts";
import type { Catalogue, CatalogueModel } from "./catalogue.ts";
import { isChoiceRefusal, isFieldRefusal, isSealRefusal, refusedParameter } from "./corrections.ts";
import type { DroppedField } from "./dropped.ts";
import { failureOfConnection, failureOfResponse } from "./failure.ts";
import { createFieldMemory } from "./field-memory.ts";
import { createForward, type ForwardRequest } from "./forward.ts";
import { createLaneMemory, isLaneRefusal, type Lane, otherLane } from "./lanes.ts";
import { type Corrections, makePlan, type Plan } from "./plan.ts";
import type { QuotaTracker } from "./quota-tracker.ts";
import { createRouting } from "./routing.ts";
import { chatgptHeaders, platformHeaders, trimBase } from "./target.ts";

/** So many fields may be left out one after another because upstream refused them. */
const MOST_REMOVED = 8;

export interface SendOptions {
  readonly signal: CancelSignal;
  /** The client's headers, for those of a Codex client. */
  readonly header: HeaderReader;
  /** Shared with the relay, which repeats what fails after the headers. */
  readonly attempts: AttemptBudget;
  /** The login, where it has just been looked up. */
  readonly credentials?: Credentials | undefined;
}

export interface UpstreamAnswer {
  /** A 2xx event stream, unread. */
  readonly response: UpstreamResponse;
  readonly mode: "chatgpt" | "api_key";
  readonly lane: Lane;
  /** The model's upstream name. */
  readonly model: string;
  /** All that upstream was not sent, what the dialect left out included. */
  readonly dropped: readonly DroppedField[];
  /** To be honoured by the proxy, where the backend refuses it. */
  readonly maxOutputTokens: number | undefined;
  /** Sent tool name → the client's own. */
  readonly restoreNames: ReadonlyMap<string, string> | undefined;
  /** The function whose arguments the answer's text has, where it is no call, in the name that was sent. */
  readonly forcedCall: string | undefined;
  /** Upstream headers that are safe to hand to the client. */
  readonly headers: Record<string, string>;
}

export interface UpstreamClient {
  /**
   * Sends one request, repeating what can be repeated before any output.
   * @throws ProxyError what upstream or the network said.
   */
  send(request: CanonicalRequest, options: SendOptions): Promise<UpstreamAnswer>;
  /** API-key mode only: hands any request below /v1 on, bytes untouched. @throws ProxyError `unsupported`. */
  forward(request: ForwardRequest): Promise<Answer>;
  /** The mode of the login in use. */
  mode(): Promise<"chatgpt" | "api_key">;
}

export interface UpstreamDeps {
  readonly config: ProxyConfig;
  readonly fetch: UpstreamFetch;
  readonly session: CredentialSession;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly quota: QuotaTracker;
}

export function createUpstream(deps: UpstreamDeps): UpstreamClient {
  const lanes = createLaneMemory(deps.clock);
  const fields = createFieldMemory(deps.clock);
  const routing = createRouting(deps);

  /** Where credentials and body go. The route is a promise only for an account's first request. */
  async function target(
    credentials: Credentials,
    plan: Plan,
  ): Promise<{ url: string; headers: Record<string, string> }> {
    const accept = { accept: "text/event-stream", "content-type": "application/json" };
    if (credentials.mode === "api_key") {
      const headers = { ...platformHeaders(credentials.apiKey, deps.config.identity), ...accept, ...plan.headers };
      return { url: `${trimBase(deps.config.openaiBaseUrl)}/responses`, headers };
    }
    const route = await routing.route(credentials);
    const identity = chatgptHeaders(credentials, deps.config.identity);
    const headers: Record<string, string> = { ...plan.headers, ...identity, ...accept };
    if (route.override !== undefined) headers["x-openai-account-routing-override"] = route.override;
    return { url: `${route.baseUrl}/responses`, headers };
  }

  async function post(
    credentials: Credentials,
    plan: Plan,
    text: string,
    signal: CancelSignal,
  ): Promise<UpstreamResponse> {
    const { url, headers } = await target(credentials, plan);
    try {
      signal.throwIfAborted();
      return await deps.fetch(url, { method: "POST", headers, body: text, signal });
    } catch (cause) {
      throw failureOfConnection(cause, signal);
    }
  }

  async function send(request: CanonicalRequest, options: SendOptions): Promise<UpstreamAnswer> {
    const { signal, attempts, header } = options;
    let credentials = options.credentials ?? (await deps.session.current());
    // Asked beside the catalogue, so that a cold start waits for the slower of the two only.
    if (credentials.mode === "chatgpt") void routing.route(credentials);
    const corrections: Corrections = {
      lane: undefined,
      plainChoice: false,
      removed: [],
      refused: [],
      withoutReasoning: false,
    };
    const models = async () => (credentials.mode === "chatgpt" ? deps.catalogue.known() : []);
    const plans = async (): Promise<Plan> =>
      makePlan(request, corrections, {
        config: deps.config,
        mode: credentials.mode,
        models: await models(),
        lanes,
        fields,
        header,
      });
    let plan = await plans();
    let text = JSON.stringify(plan.body);
    let refused: ProxyError | undefined;
    let recovered = false;
    attempts.take();

    for (;;) {
      let failure: ProxyError;
      try {
        const response = await post(credentials, plan, text, signal);
        deps.quota.seeHeaders(response.headers);
        deps.catalogue.seeEtag(response.headers.get("x-models-etag"));
        if (isStream(response)) {
          if (refused && plan.lane !== "platform") lanes.learn(plan.slug, plan.lane);
          for (const path of corrections.refused) fields.learn(plan.slug, plan.lane, path);
          return answerOf(response, plan, credentials.mode);
        }
        failure = await failureOf(response, plan, await models());
      } catch (error) {
        if (!(error instanceof ProxyError)) throw error;
        failure = error;
      }
      if (signal.aborted) throw failureOfConnection(failure, signal);

      if (failure.details.upstream_status === 401 && failure.kind === "login_expired") {
        if (recovered) throw fail(failure);
        recovered = true;
        const before = credentials.mode;
        credentials = await deps.session.recover(credentials);
        if (credentials.mode === before) continue;
      } else if (plan.lane === "lite" && !plan.native && !corrections.plainChoice && isChoiceRefusal(failure)) {
        corrections.plainChoice = true;
        lanes.learnPlainChoice(plan.slug);
        repeat("tool_choice", failure);
      } else if (isLaneRefusal(failure) && maySwitch(plan, refused)) {
        refused = failure;
        corrections.lane = otherLane(plan.lane as "lite" | "classic");
        repeat("lane", failure);
      } else if (isSealRefusal(failure) && !corrections.withoutReasoning) {
        corrections.withoutReasoning = true;
        repeat("encrypted_content", failure);
      } else if (mayRemove(failure, corrections)) {
        repeat("parameter", failure);
      } else if (isPassing(failure) && (await attempts.retry(deps.clock, failure, signal))) {
        attempts.take();
        repeat(failure.kind, failure);
        continue;
      } else {
        throw fail(refused && isLaneRefusal(failure) ? refused : failure);
      }
      plan = await plans();
      text = JSON.stringify(plan.body);
    }
  }

  async function failureOf(
    response: UpstreamResponse,
    plan: Plan,
    models: readonly CatalogueModel[],
  ): Promise<ProxyError> {
    if (response.status >= 200 && response.status < 300) {
      response.discard();
      return new ProxyError(
        "upstream_protocol",
        "upstream answered with a web page instead of an event stream; check the base URL and the proxy",
      );
    }
    return failureOfResponse(response, {
      now: deps.clock.now(),
      model: plan.slug,
      models: models.filter((model) => model.listed).map((model) => model.slug),
    });
  }

  function repeat(reason: string, failure: ProxyError): void {
    deps.metrics.upstreamRetried(reason);
    deps.log.write("upstream", "info", "upstream_repeat", { reason, kind: failure.kind, message: failure.message });
  }

  function fail(failure: ProxyError): ProxyError {
    deps.metrics.upstreamFailed(failure.kind);
    return failure;
  }

  return { send, forward: createForward(deps), mode: async () => (await deps.session.current()).mode };
}

function answerOf(response: UpstreamResponse, plan: Plan, mode: "chatgpt" | "api_key"): UpstreamAnswer {
  const { lane, slug: model, dropped, maxOutputTokens, restoreNames, forcedCall } = plan;
  return {
    response,
    mode,
    lane,
    model,
    dropped,
    maxOutputTokens,
    restoreNames,
    forcedCall,
    headers: answerHeaders(response.headers),
  };
}

/** A page in a 200 is a captive portal's or a gateway's. */
function isStream(response: UpstreamResponse): boolean {
  if (response.status < 200 || response.status > 299) return false;
  return !/\bhtml\b/i.test(response.headers.get("content-type") ?? "");
}

/** A body that a Codex client put into the lite lane cannot be taken out of it again. */
function maySwitch(plan: Plan, refused: ProxyError | undefined): boolean {
  return refused === undefined && plan.lane !== "platform" && !(plan.native && plan.lane === "lite");
}

/** Notes the field that upstream refuses; false when there is none, or when leaving it out has not helped. */
function mayRemove(failure: ProxyError, corrections: Corrections): boolean {
  const path = refusedParameter(failure);
  if (path === undefined || corrections.removed.includes(path) || corrections.removed.length >= MOST_REMOVED)
    return false;
  corrections.removed.push(path);
  if (isFieldRefusal(failure, path)) corrections.refused.push(path);
  return true;
}

/** True for faults that pass by themselves; a used-up plan does not. */
function isPassing(failure: ProxyError): boolean {
  if (failure.kind === "overloaded" || failure.kind === "upstream_unreachable") return true;
  // Attempts.retry turns down a wait that is too long.
  if (failure.kind === "rate_limit") return failure.retryAfter !== undefined;
  const status = failure.details.upstream_status;
  return (
    failure.kind !== "usage_limit" && failure.kind !== "quota" && (status === 502 || status === 503 || status === 504)
  );
}
