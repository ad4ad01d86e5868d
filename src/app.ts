import { type Context, Hono } from "hono";
import type { ProxyConfig } from "./config/config.ts";
import type { CredentialSession } from "./credentials/credentials.ts";
import type { RenewApart } from "./credentials/renew-apart.ts";
import { createCredentialSession } from "./credentials/session.ts";
import { chatDialect } from "./dialects/chat/index.ts";
import { messagesDialect } from "./dialects/messages/index.ts";
import { responsesDialect } from "./dialects/responses/index.ts";
import { ProxyError, toProxyError } from "./errors.ts";
import type { Exchange, ExchangeFacts } from "./exchange.ts";
import { recordExchange } from "./http/access-log.ts";
import { correlationId } from "./http/correlation-id.ts";
import { type ErrorDialect, errorResponse } from "./http/error-response.ts";
import { guardHost, originAllowed } from "./http/host-guard.ts";
import { authenticate } from "./http/local-auth.ts";
import { refuseUpgrade } from "./http/websocket.ts";
import type { Log } from "./observability/log.ts";
import type { Metrics } from "./observability/metrics.ts";
import type { CancelSignal, Clock, FileStore, Handler, UpstreamFetch } from "./platform.ts";
import { createRoutes, type Route } from "./routes/index.ts";
import { createServices } from "./services.ts";

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
  /** In place of auth.json, for the offline demo. */
  readonly session?: CredentialSession;
}

export interface App {
  readonly fetch: Handler;
  /** Reads credentials and catalogue ahead of the first request; never throws. */
  warm(): void;
}

/** The server as a Web-standard request handler: middleware and routes in the order in which a request meets them. */
export function createApp(deps: AppDeps): App {
  const startedAt = deps.clock.now();
  const session = deps.session ?? createCredentialSession(deps);
  const services = createServices(deps, session, startedAt);
  const routes = createRoutes(services);
  const hono = new Hono<Env>();

  for (const route of routes) {
    for (const path of pathsOf(route)) {
      if (route.method === "ALL") hono.all(path, (c) => serve(deps, route, c));
      else hono.on(route.method, path, (c) => serve(deps, route, c));
    }
  }
  hono.notFound((c) => {
    throw new ProxyError("not_found", `no such endpoint: ${c.req.method} ${c.req.path}`, { code: "unknown_url" });
  });
  hono.onError((cause) => {
    throw cause;
  });

  return {
    fetch: (request, clientLeft) => handle(deps, hono, request, clientLeft),
    warm: services.warm,
  };
}

type Env = { Bindings: { exchange: Exchange; url: URL } };

/** The outermost layer: every request gets an id, passes the guards, and ends as one answer and one log line. */
async function handle(
  deps: AppDeps,
  hono: Hono<Env>,
  request: Request,
  clientLeft: (() => CancelSignal) | undefined,
): Promise<Response> {
  const requestId = correlationId(request.headers, deps.newId);
  const exchange = new ServedExchange(deps, request, requestId, clientLeft);
  let path = "/";
  let response: Response;
  try {
    const url = urlOf(request);
    path = url.pathname;
    guardHost(request.headers, deps.config, url.host);
    if (request.method === "OPTIONS" && request.headers.has("origin")) response = preflight(request, requestId);
    else {
      if (!isOpen(path)) {
        const client = await authenticate(request.headers, deps.config.apiKeys);
        if (client !== undefined) exchange.facts.client = client;
      }
      refuseUpgrade(request.headers);
      response = await hono.fetch(request, { exchange, url });
    }
  } catch (cause) {
    const error = toProxyError(cause);
    exchange.facts.error = error;
    if (error.kind === "internal") logInternal(deps, requestId, cause);
    response = errorResponse(error, errorDialect(path, request.headers), requestId, deps.clock.now());
  }
  finishHeaders(deps.config, request, response, requestId);
  if (!exchange.heldOpen) exchange.settle(response.status);
  return response;
}

/**
 * The address, which some runtimes put together from whatever the request line and `Host` say.
 * @throws ProxyError `invalid_request`.
 */
function urlOf(request: Request): URL {
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
  readonly header: Exchange["header"];
  heldOpen = false;
  readonly #deps: AppDeps;
  readonly #request: Request;
  readonly #clientLeft: (() => CancelSignal) | undefined;
  #signal: CancelSignal | undefined;
  #settled = false;

  constructor(deps: AppDeps, request: Request, requestId: string, clientLeft: (() => CancelSignal) | undefined) {
    this.#deps = deps;
    this.#request = request;
    this.#clientLeft = clientLeft;
    this.requestId = requestId;
    this.method = request.method;
    this.startedAt = deps.clock.now();
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
    const { clock, log, metrics } = this.#deps;
    recordExchange(this, status, clock.now(), log, metrics);
  }
}

function serve(deps: AppDeps, route: Route, c: Context<Env>): Promise<Response> {
  const exchange = c.env.exchange as { route: string } & Exchange;
  exchange.route = route.path;
  return route.handle({
    request: c.req.raw,
    url: c.env.url,
    param: (name) => c.req.param(name) ?? "",
    exchange,
    config: deps.config,
  });
}

/** Every `/v1/…` route also answers without the prefix, since base URLs are given both ways. */
function pathsOf(route: Route): string[] {
  return route.path.startsWith("/v1/") && route.path !== "/v1/*" ? [route.path, route.path.slice(3)] : [route.path];
}

/** Errors are told in the API that the path, or the client's own header, belongs to. */
function errorDialect(path: string, headers: Headers): ErrorDialect {
  if (/^(\/v1)?\/messages(\/|$)/.test(path) || headers.has("anthropic-version")) return messagesDialect;
  return /^(\/v1)?\/responses(\/|$)/.test(path) ? responsesDialect : chatDialect;
}

function logInternal(deps: AppDeps, requestId: string, cause: unknown): void {
  const error = cause instanceof ProxyError && cause.cause !== undefined ? cause.cause : cause;
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  deps.log.write("server", "error", "internal_error", { request_id: requestId, detail });
}

function preflight(request: Request, requestId: string): Response {
  const headers = new Headers({
    "access-control-allow-methods": "GET, POST, DELETE, OPTIONS",
    "access-control-max-age": "600",
    "x-request-id": requestId,
  });
  const asked = request.headers.get("access-control-request-headers");
  if (asked) headers.set("access-control-allow-headers", asked);
  return new Response(null, { status: 204, headers });
}

function finishHeaders(config: ProxyConfig, request: Request, response: Response, requestId: string): void {
  response.headers.set("x-request-id", requestId);
  response.headers.set("request-id", requestId);
  const origin = request.headers.get("origin");
  if (origin === null || !originAllowed(origin, config)) return;
  response.headers.set("access-control-allow-origin", origin);
  response.headers.append("vary", "origin");
  response.headers.set("access-control-expose-headers", "x-request-id, request-id, retry-after, x-codex-proxy-dropped");
}
