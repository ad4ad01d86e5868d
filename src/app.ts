import type { Api, createApi } from "./api.ts";
import type { ProxyConfig } from "./config/config.ts";
import type { CredentialSession } from "./credentials/credentials.ts";
import type { RenewApart } from "./credentials/renew-apart.ts";
import { ProxyError, toProxyError, traceOf } from "./errors.ts";
import type { Exchange, ExchangeFacts, WorkObserver } from "./exchange.ts";
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
import { healthRoute } from "./routes/health.ts";
import type { MatchedRoute } from "./routes/table.ts";
import { toResponse } from "./stream/web-body.ts";

/** What the app needs from outside; a test writes it as a literal. */
export interface AppDeps {
  /** Imports `api.ts`; tried again after a failure. */
  readonly loadApi: () => Promise<{ createApi: typeof createApi }>;
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
  readonly work?: WorkObserver;
  /** In place of auth.json, for the offline demo. */
  readonly session?: CredentialSession;
}

export interface App {
  readonly handle: Handler;
  /** The same for a Web `Request`. */
  fetch(request: Request): Promise<Response>;
  /** Loads what answers requests, reads credentials and catalogue ahead of the first one; never throws. */
  warm(): void;
  /** Resolves when no refresh of the login is under way. */
  settled(): Promise<void>;
}

/**
 * The server as a request handler. It starts with `/health` alone: the rest, nine tenths of the code, is loaded by `warm` or
 * by the first request that needs it.
 */
export function createApp(deps: AppDeps): App {
  const door = new Door(deps);
  const handle: Handler = (request, clientLeft) => answer(deps, door, request, clientLeft);
  return {
    handle,
    fetch: async (request) => toResponse(await handle(request)),
    // A request that needs what cannot be loaded is told so.
    warm: () =>
      void door.load().then(
        ({ services }) => services.warm(),
        () => {},
      ),
    settled: async () => door.api?.services.session.settled?.(),
  };
}

/** What is there from the start, and the way to what is not. */
class Door {
  /** Undefined until it is loaded. */
  api: Api | undefined;
  readonly #health: MatchedRoute;
  readonly #deps: AppDeps;
  readonly #startedAt: number;
  #loading: Promise<Api> | undefined;

  constructor(deps: AppDeps) {
    this.#deps = deps;
    this.#startedAt = deps.clock.now();
    const { config, clock } = deps;
    this.#health = { route: healthRoute({ config, clock, startedAt: this.#startedAt }), param: () => "" };
  }

  match(method: string, path: string): MatchedRoute | undefined | Promise<MatchedRoute | undefined> {
    const wanted = method === "HEAD" ? "GET" : method;
    if (isOpen(path) && wanted === "GET") return this.#health;
    return this.api ? this.api.match(wanted, path) : this.load().then((api) => api.match(wanted, path));
  }

  /** Once: a second one would have a login, and refreshes, of its own. */
  async load(): Promise<Api> {
    if (this.api !== undefined) return this.api;
    this.#loading ??= this.#deps
      .loadApi()
      .then(({ createApi }) => {
        this.api = createApi(this.#deps, this.#startedAt);
        return this.api;
      })
      .finally(() => {
        this.#loading = undefined;
      });
    return this.#loading;
  }

  /** How errors are told where the program's own files cannot be read. */
  async errorDialect(path: string, headers: HeaderBag): Promise<ErrorDialect> {
    const api = this.api ?? (await this.load().catch(() => undefined));
    return api?.errorDialect(path, headers) ?? plainErrors;
  }
}

const plainErrors: ErrorDialect = {
  toErrorBody: ({ message }) => ({ error: { message, type: "server_error", param: null, code: "internal_error" } }),
  toErrorStatus: ({ status }) => status,
};

/** The outermost layer: every request gets an id, passes the guards, and ends as one answer and one log line. */
async function answer(
  deps: AppDeps,
  door: Door,
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
    const found = door.match(request.method, path);
    const matched = found instanceof Promise ? await found : found;
    exchange.route = matched?.route.path ?? exchange.route;
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
    answered = errorAnswer(error, await door.errorDialect(path, request.headers), requestId, deps.clock.now());
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
const isOpen = (path: string): boolean => path === "/health";

/** A class, since an object literal with getters would be a hidden class of its own for every request. */
class ServedExchange implements Exchange {
  readonly requestId: string;
  route = "unknown";
  readonly method: string;
  readonly startedAt: number;
  readonly facts: ExchangeFacts = {};
  credentials: Exchange["credentials"] = undefined;
  upstream: Exchange["upstream"] = undefined;
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
    deps.work?.active();
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
    const { clock, log, metrics, work } = this.#deps;
    work?.active();
    work?.ended(this);
    recordExchange(this, status, clock.now(), log, metrics);
  }
}

/** Hands the request to the first route that its method and path match. */
function serve(
  deps: AppDeps,
  matched: MatchedRoute | undefined,
  request: ServerRequest,
  url: URL,
  exchange: ServedExchange,
): Promise<Answer> {
  if (!matched) {
    throw new ProxyError("not_found", `no such endpoint: ${request.method} ${url.pathname}`, { code: "unknown_url" });
  }
  return matched.route.handle({ request, url, param: matched.param, exchange, config: deps.config });
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
