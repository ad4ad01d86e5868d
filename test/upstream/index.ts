/**
 * A stand-in for chatgpt.com, api.openai.com and auth.openai.com: a real HTTP server, as strict as the real ones.
 *
 *     const upstream = await startUpstream();
 *     const auth = writeAuthFile(codexHome, "chatgpt");           // a login that every double accepts
 *     ... run the program against upstream.chatgptBaseUrl, .openaiBaseUrl, .refreshTokenUrl ...
 *     upstream.requestsTo("/codex/responses")[0]?.json          // what arrived; .refusal says why it was refused
 *     upstream.reset(); await upstream.close();
 *
 * What it answers follows from the user's last text:
 *
 *     anything                              "You said: <text> 👋🌍 — done.", then IMAGE:<mime>:<bytes>, FILE:<name>:<bytes>
 *     [[tool name=X args={"a":1}]]          a call of X, arguments made from the schema when not given; several at once on
 *                                           the classic lane, one after another on lite; then "TOOL-RESULT: <output>" lines
 *     [[say text]] [[long 50]] [[refuse]]   that text; 50 words w0 w1 ...; a refusal part
 *     [[search q]] [[image]]                web search or image generation, when the tool was offered
 *
 * A reasoning item comes with every effort but `none`, or with [[reason]]; its summary when one was asked for, its encrypted content when
 * included. A JSON schema is answered with a value that satisfies it.
 *
 * Faults: `upstream.script("/codex/responses", { status: 503, body: {...} })`, `{ fixture: "http-500.json" }`,
 * `{ terminal: { failed: "server_error" } }`, `{ cut: "mid-event", afterEvents: 4 }`, `{ stallMs: 50 }`, see {@link Behaviour}.
 *
 * TLS: `startUpstream({ tls: certificates.leaf })` behind `startConnectProxy({ upstreamPort: upstream.port })`; the
 * certificates come from test/support/certificates.ts.
 *
 * As a process: `node test/upstream/main.ts`, which prints its URLs as one JSON line.
 */

export { type AuthFileOverrides, type WrittenAuth, writeAuthFile } from "./auth-file.ts";
export { type ConnectProxy, type ConnectProxyOptions, startConnectProxy } from "./connect-proxy.ts";
export { readFixture, readFixtureJson } from "./fixtures.ts";
export { EDGE_COOKIE } from "./reply.ts";
export { startUpstream } from "./server.ts";
export {
  CLIENT_ID,
  DEFAULT_ACCOUNT,
  DEFAULT_API_KEY,
  DEFAULT_PAT,
  type MintOptions,
  mintIdToken,
  mintRefreshToken,
  mintToken,
  type Tokens,
} from "./tokens.ts";
export type { Behaviour, Matcher, RecordedRequest, Upstream, UpstreamOptions } from "./types.ts";
