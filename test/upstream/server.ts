import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Connections } from "./connections.ts";
import type { Exchange, State } from "./context.ts";
import { cutConnection, wasClosedByClient } from "./cut.ts";
import { answerFast } from "./fast.ts";
import { matches, Script } from "./faults.ts";
import { record } from "./recorder.ts";
import { Refusal } from "./refusal.ts";
import { edgeHeaders, send, sendJson } from "./reply.ts";
import { findRoute } from "./routes.ts";
import { Tokens } from "./tokens.ts";
import type { Behaviour, RecordedRequest, Upstream, UpstreamOptions } from "./types.ts";
import { UsageMeter } from "./usage.ts";

/** Starts a double on a loopback port. */
export async function startUpstream(options: UpstreamOptions = {}): Promise<Upstream> {
  const state = createState(options);
  const requests: RecordedRequest[] = [];
  const waiting = new Set<() => void>();
  const handle = (request: IncomingMessage, response: ServerResponse) => void exchange(request, response);
  const server: Server = options.tls === undefined ? createServer(handle) : createTlsServer(options.tls, handle);
  server.keepAliveTimeout = 60_000;
  const connections = new Connections(server, options.tls === undefined ? "connection" : "secureConnection");
  server.on("upgrade", (_request, socket) =>
    socket.end("HTTP/1.1 426 Upgrade Required\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"),
  );

  async function exchange(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    if (options.fast !== undefined) return answerFast(incoming, response, options.fast);
    const request = await record(incoming, connections.numberOf(incoming.socket), state.now()).catch(() => undefined);
    if (request === undefined) return void response.destroy();
    requests.push(request);
    watch(request, response, state, () => notify(waiting));
    notify(waiting);
    await answerSafely({ request, response, behaviour: state.script.take(request) ?? {}, state });
    notify(waiting);
  }

  await new Promise<void>((resolve, reject) =>
    server.once("error", reject).listen(options.port ?? 0, "127.0.0.1", resolve),
  );
  const { port } = server.address() as AddressInfo;
  return {
    ...urls(port, options.tls !== undefined),
    port,
    requests,
    tokens: state.tokens,
    requestsTo: (matcher) => requests.filter((request) => matches(matcher, request)),
    script: (matcher, behaviour) => state.script.add(matcher, behaviour),
    waitFor: (test, timeoutMs = 5000) => waitFor(requests, waiting, test, timeoutMs),
    reset: () => {
      requests.length = 0;
      resetState(state);
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        connections.destroyAll();
      }),
  };
}

async function answerSafely(exchange: Exchange): Promise<void> {
  const { request, response, behaviour } = exchange;
  try {
    const { stallMs, stallAfterEvents } = behaviour;
    if (stallMs !== undefined && stallAfterEvents === undefined) await sleep(stallMs, undefined, { ref: false });
    if (behaviour.cut === "before-headers") cutConnection(response);
    else if (behaviour.status !== undefined || behaviour.body !== undefined) sendScripted(response, behaviour);
    else await findRoute(request)(exchange);
  } catch (error) {
    if (!(error instanceof Refusal)) return failLoudly(response, error);
    request.refusal = error.message;
    if (!response.headersSent) sendJson(response, error.status, error.body, error.headers);
  }
}

/** A fault of the double itself must be seen in the test that meets it. */
function failLoudly(response: ServerResponse, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`upstream double: ${text}\n`);
  if (response.headersSent) cutConnection(response);
  else send(response, 500, `upstream double: ${text}`, { "content-type": "text/plain" });
}

function sendScripted(response: ServerResponse, behaviour: Behaviour): void {
  const { status = 200, body = "", headers = {} } = behaviour;
  const isText = typeof body === "string" || body instanceof Uint8Array;
  const bytes = isText ? body : JSON.stringify(body);
  const type = isText ? "text/plain; charset=utf-8" : "application/json";
  response.writeHead(status, { ...edgeHeaders(), "content-type": type, ...headers });
  response.end(bytes);
}

function watch(request: RecordedRequest, response: ServerResponse, state: State, changed: () => void): void {
  response.on("close", () => {
    request.status = response.headersSent ? response.statusCode : undefined;
    request.closedByClient = wasClosedByClient(response);
    request.closedAt = state.now();
    changed();
  });
}

function waitFor(
  requests: RecordedRequest[],
  waiting: Set<() => void>,
  test: (request: RecordedRequest) => boolean,
  timeoutMs: number,
): Promise<RecordedRequest> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      clearTimeout(timer);
      waiting.delete(look);
      finish();
    };
    const timer = setTimeout(
      () =>
        settle(() =>
          reject(
            new Error(
              `no such request within ${timeoutMs} ms; seen: ${requests.map(({ method, path }) => `${method} ${path}`).join(", ")}`,
            ),
          ),
        ),
      timeoutMs,
    );
    const look = () => {
      const found = requests.find(test);
      if (found !== undefined) settle(() => resolve(found));
    };
    waiting.add(look);
    look();
  });
}

function notify(waiting: ReadonlySet<() => void>): void {
  for (const look of [...waiting]) look();
}

function urls(port: number, tls: boolean) {
  const origin = `${tls ? "https" : "http"}://127.0.0.1:${port}`;
  const authIssuer = tls ? "https://auth.openai.com" : origin;
  return {
    origin,
    chatgptBaseUrl: `${tls ? "https://chatgpt.com" : origin}/backend-api/codex`,
    openaiBaseUrl: `${tls ? "https://api.openai.com" : origin}/v1`,
    authIssuer,
    refreshTokenUrl: `${authIssuer}/oauth/token`,
    revokeTokenUrl: `${authIssuer}/oauth/revoke`,
  };
}

function createState(options: UpstreamOptions): State {
  return {
    options,
    now: options.now ?? Date.now,
    tokens: new Tokens(),
    script: new Script(),
    usage: new UsageMeter(),
    knownIds: new Set(),
    stored: new Map(),
    codes: new Map(),
    devices: new Map(),
  };
}

function resetState(state: State): void {
  state.tokens.reset();
  state.script.reset();
  state.usage.reset();
  for (const memory of [state.knownIds, state.stored, state.codes, state.devices]) memory.clear();
}
