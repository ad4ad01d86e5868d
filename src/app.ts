import type { Result } from "hono/router";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { SmartRouter } from "hono/router/smart-router";
import { TrieRouter } from "hono/router/trie-router";
import type { ProxyConfig } from "./config/config.ts";
import type { CredentialSession } from "./credentials/credentials.ts";
import type { RenewApart } from "./credentials/renew-apart.ts";
import { createCredentialSession } from "./credentials/session.ts";
import { chatDialect } from "./dialects/chat/index.ts";
import { messagesDialect } from "./dialects/messages/index.ts";
import { responsesDialect } from "./dialects/responses/index.ts";
import { ProxyError, toProxyError, traceOf } from "./errors.ts";
import type { Exchange, ExchangeFacts } from "./exchange.ts";
import { recordExchange } from "./http/access-log.ts";
import { correlationId } from "./http/correlation-id.ts";
import { type ErrorDialect, errorAnswer } from "./http/error-answer.ts";
import { guardHost, originAllowed } from "./http/host-guard.ts";
import { authenticate } from "./http/local-auth.ts";
import { refuseUpgrade } from "./http/websocket.ts";
import type { Log } from "./observability/log.ts";
import type { Metrics } from "./observability/metrics.ts";
import type {
  Answer,
  CancelSignal,
  Clock,
  FileStore,
  Handler,
  HeaderBag,
  ServerRequest,
  UpstreamFetch,
} from "./platform.ts";
import { createRoutes, type Route } from "./routes/index.ts";
import { createServices } from "./services.ts";
import { toResponse } from "./stream/web-body.ts";

/** What the app needs from outside; a test writes it as a literal. */
export interface AppDeps {
  readonly config: ProxyConfig;
  readonly fetch: UpstreamFetch;
  readonly files: FileStore;
  readonly clock: Clock;
  /** A fresh random id of 32 hex digits. */
  readonly newId: () => string;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Environment variables that carry credentials, as Codex reads them. */
  readonly env: (name: string) => string | undefined;
  /** Refreshes the login in a process that outlives a killed server; undefined: in this one. */
  readonly renewApart?: RenewApart;
  /** Hears of each request's beginning and end and of each write of a stream. */
  readonly onActivity?: () => void;
  /** In place of auth.json, for the offline demo. */
  readonly session?: CredentialSession;
}

export interface App {
  readonly handle: Handler;
  /** The same for a Web `Request`. */
  fetch(request: Request): Promise<Response>;
  /** Reads credentials and catalogue ahead of the first request; never throws. */
  warm(): void;
}

/** The server as a request handler: middleware and routes in the order in which a request meets them. */
export function createApp(deps: AppDeps): App {
  const startedAt = deps.clock.now();
  const session = deps.session ?? createCredentialSession(deps);
  const services = createServices(deps, session, startedAt);
  const router = createRouter(createRoutes(services));
  const handle: Handler = (request, clientLeft) => answer(deps, router, request, clientLeft);
  return {
    handle,
    fetch: async (request) => toResponse(await handle(request)),
    warm: services.warm,
  };
}

type Router = SmartRouter<Route>;

function createRouter(routes: readonly Route[]): Router {
  const router: Router = new SmartRouter({ routers: [new RegExpRouter(), new TrieRouter()] });
  for (const route of routes) for (const path of pathsOf(route)) router.add(route.method, path, route);
  return router;
}

/** The outermost layer: every request gets an id, passes the guards, and ends as one answer and one log line. */
async function answer(
  deps: AppDeps,
  router: Router,
  request: ServerRequest,
  clientLeft: (() => CancelSignal) | undefined,
): Promise<Answer> {
  const requestId = correlationId(request.headers, deps.newId);
  const exchange = new ServedExchange(deps, request, requestId, clientLeft);
  let path = "/";
  let answered: Answer;
  try {
    const url = urlOf(request);
    path = url.pathname;
    // Ahead of the guards, so that log and metrics tell what a refused request was after.
    const matched = router.match(request.method === "HEAD" ? "GET" : request.method, path);
    exchange.route = matched[0][0]?.[0].path ?? exchange.route;
    guardHost(request.headers, deps.config, url.host);
    if (request.method === "OPTIONS" && request.headers.has("origin")) answered = preflight(request, requestId);
    else {
      if (!isOpen(path)) {
        const client = await authenticate(request.headers, deps.config.apiKeys);
        if (client !== undefined) exchange.facts.client = client;
      }
      refuseUpgrade(request.headers);
      answered = await serve(deps, matched, request, url, exchange);
    }
  } catch (cause) {
    const error = toProxyError(cause);
    exchange.facts.error = error;
    if (error.kind === "internal") logInternal(deps, requestId, cause);
    answered = errorAnswer(error, errorDialect(path, request.headers), requestId, deps.clock.now());
  }
  if (request.method === "HEAD") answered = { ...answered, body: null };
  finishHeaders(deps.config, request, answered, requestId);
  if (!exchange.heldOpen) exchange.settle(answered.status);
  return answered;
}

/**
 * The address, which some runtimes put together from whatever the request line and `Host` say.
 * @throws ProxyError `invalid_request`.
 */
function urlOf(request: ServerRequest): URL {
  try {
    return new URL(request.url);
  } catch (cause) {
    throw new ProxyError("invalid_request", "the request's address or its Host header is malformed", { cause });
  }
}

/** `/health` tells nothing that a stranger could use; it is for service managers. */
const isOpen = (path: string): boolean => path === "/health" || path === "/v1/health";

/** A class, since an object literal with getters would be a hidden class of its own for every request. */
class ServedExchange implements Exchange {
  readonly requestId: string;
  route = "unknown";
  readonly method: string;
  readonly startedAt: number;
  readonly facts: ExchangeFacts = {};
  credentials: Exchange["credentials"] = undefined;
  readonly header: Exchange["header"];
  heldOpen = false;
  readonly #deps: AppDeps;
  readonly #request: ServerRequest;
  readonly #clientLeft: (() => CancelSignal) | undefined;
  #signal: CancelSignal | undefined;
  #settled = false;

  constructor(deps: AppDeps, request: ServerRequest, requestId: string, clientLeft: (() => CancelSignal) | undefined) {
    this.#deps = deps;
    this.#request = request;
    this.#clientLeft = clientLeft;
    this.requestId = requestId;
    this.method = request.method;
    this.startedAt = deps.clock.now();
    deps.onActivity?.();
    this.header = (name) => request.headers.get(name) ?? undefined;
  }

  get signal(): CancelSignal {
    this.#signal ??= this.#clientLeft?.() ?? this.#request.signal;
    return this.#signal;
  }

  holdOpen(): void {
    this.heldOpen = true;
  }

  settle(status: number): void {
    if (this.#settled) return;
    this.#settled = true;
    const { clock, log, metrics, onActivity } = this.#deps;
    onActivity?.();
    recordExchange(this, status, clock.now(), log, metrics);
  }
}

/** Hands the request to the first route that its method and path match. */
function serve(
  deps: AppDeps,
  matched: Result<Route>,
  request: ServerRequest,
  url: URL,
  exchange: ServedExchange,
): Promise<Answer> {
  const found = matched[0][0]?.[0];
  if (!found) {
    throw new ProxyError("not_found", `no such endpoint: ${request.method} ${url.pathname}`, { code: "unknown_url" });
  }
  return found.handle({ request, url, param: (name) => paramOf(matched, name), exchange, config: deps.config });
}

/** A part of the path, with its percent-encoding undone. */
function paramOf([handlers, stash]: Result<Route>, name: string): string {
  const params = handlers[0]?.[1] ?? {};
  const value = params[name];
  const text = typeof value === "number" ? stash?.[value] : value;
  try {
    return decodeURIComponent(text ?? "");
  } catch {
    return text ?? "";
  }
}

/** Every `/v1/…` route also answers without the prefix, since base URLs are given both ways. */
function pathsOf(route: Route): string[] {
  return route.path.startsWith("/v1/") && route.path !== "/v1/*" ? [route.path, route.path.slice(3)] : [route.path];
}

/** Errors are told in the API that the path, or the client's own header, belongs to. */
function errorDialect(path: string, headers: HeaderBag): ErrorDialect {
  if (/^(\/v1)?\/messages(\/|$)/.test(path) || headers.has("anthropic-version")) return messagesDialect;
  return /^(\/v1)?\/responses(\/|$)/.test(path) ? responsesDialect : chatDialect;
}

function logInternal(deps: AppDeps, requestId: string, cause: unknown): void {
  const error = cause instanceof ProxyError && cause.cause !== undefined ? cause.cause : cause;
  deps.log.write("server", "error", "internal_error", { request_id: requestId, detail: traceOf(error) });
}

function preflight(request: ServerRequest, requestId: string): Answer {
  const asked = request.headers.get("access-control-request-headers");
  return {
    status: 204,
    headers: {
      "access-control-allow-methods": "GET, POST, DELETE, OPTIONS",
      "access-control-max-age": "600",
      "x-request-id": requestId,
      ...(asked ? { "access-control-allow-headers": asked } : {}),
    },
    body: null,
  };
}

function finishHeaders(config: ProxyConfig, request: ServerRequest, { headers }: Answer, requestId: string): void {
  headers["x-request-id"] = requestId;
  headers["request-id"] = requestId;
  const origin = request.headers.get("origin");
  if (origin === null || !originAllowed(origin, config)) return;
  headers["access-control-allow-origin"] = origin;
  headers.vary = headers.vary === undefined ? "origin" : `${headers.vary}, origin`;
  headers["access-control-expose-headers"] = "x-request-id, request-id, retry-after, x-codex-proxy-dropped";
}
