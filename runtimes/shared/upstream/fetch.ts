import type { Socket } from "node:net";
import * as tls from "node:tls";
import { Agent, buildConnector, type Dispatcher, ProxyAgent } from "undici";
import type { UpstreamFetch, UpstreamNetwork } from "../../../src/platform.ts";
import { ACCEPT_ENCODING, decodeContent } from "./content-decoding.ts";
import { exchange } from "./exchange.ts";
import { proxyFor } from "./outbound-proxy.ts";

const CONNECT_TIMEOUT_MS = 15_000;
/** A person thinks for minutes between two prompts; the connection should still be warm then. */
const KEEP_ALIVE_MS = 4 * 60_000;
/** Of a response, bytes; an edge in front of upstream sets cookies by the kilobyte. */
const MAX_HEADERS = 64 * 1024;

/**
 * Upstream over undici's dispatcher: one pool for the life of the process, so that connections and TLS sessions are used
 * again. No timeout on headers or body: a reasoning model may be silent for many minutes.
 */
export function createUpstreamFetch(network: UpstreamNetwork): UpstreamFetch {
  const secureContext = createSecureContext(network.extraCa);
  const connect = { timeout: CONNECT_TIMEOUT_MS, rejectUnauthorized: true, ...(secureContext && { secureContext }) };
  const pool = {
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    pipelining: 1,
    maxHeaderSize: MAX_HEADERS,
    allowH2: false,
  };
  const direct = new Agent({ ...pool, connect: keepingWhatCame(buildConnector({ ...connect, allowH2: false })) });
  const proxies = new Map<string, Dispatcher>();
  const dispatcherFor = (url: URL): Dispatcher => {
    const proxyUrl = proxyFor(url, network);
    if (proxyUrl === undefined) return direct;
    let agent = proxies.get(proxyUrl);
    if (agent === undefined) {
      agent = new ProxyAgent({ ...pool, ...proxyAddress(proxyUrl), requestTls: connect, proxyTls: connect });
      proxies.set(proxyUrl, agent);
    }
    return agent;
  };
  return async (url, request) => {
    const target = new URL(url);
    const headers = { ...request.headers, "accept-encoding": ACCEPT_ENCODING };
    return decodeContent(await exchange(dispatcherFor(target), target, { ...request, headers }));
  };
}

/**
 * Public roots plus the user's own. Built once: the roots are parsed again for each connection when they are passed as
 * `ca`. Undefined where Node's default context will do, which also knows `NODE_EXTRA_CA_CERTS`.
 */
function createSecureContext(extraCa: string | undefined): tls.SecureContext | undefined {
  if (extraCa === undefined) return undefined;
  return tls.createSecureContext({ ca: [...tls.rootCertificates, extraCa] });
}

/**
 * Connections whose last bytes are read although a reset follows at once. Deno reads on before what came is taken, and the
 * reset would take it away: an answer that is complete would be asked for again.
 */
function keepingWhatCame(connector: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connector(options, (error, socket) => {
      if (error !== null) callback(error, null);
      else callback(null, delayingReset(socket));
    });
}

function delayingReset(socket: Socket): Socket {
  const { destroy } = socket;
  socket.destroy = (error) => {
    const isReset = (error as { code?: string } | undefined)?.code === "ECONNRESET";
    if (isReset && socket.readableLength > 0) setImmediate(() => destroy.call(socket, error));
    else destroy.call(socket, error);
    return socket;
  };
  return socket;
}

/** The proxy's address and credentials apart: undici itself ignores a user name without a password. */
function proxyAddress(proxyUrl: string): { uri: string; token?: string } {
  const url = new URL(proxyUrl);
  const user = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  url.username = "";
  url.password = "";
  if (user === "" && password === "") return { uri: url.href };
  return { uri: url.href, token: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
}
