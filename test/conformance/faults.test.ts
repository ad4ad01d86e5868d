import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runtimes } from "../support/runtimes.ts";
import { freePort, type RunningServer, startServer } from "../support/server.ts";
import {
  type Behaviour,
  EDGE_COOKIE,
  type RecordedRequest,
  startUpstream,
  type Upstream,
  writeAuthFile,
} from "../upstream/index.ts";
import { type ClientDialect, type DialectName, dialects, readEvents } from "./fault-dialects.ts";

const ALWAYS = 99;
/** Attempts that a fault gets which may pass by itself: the default of --max-attempts. */
const TRIED = 3;

interface Failure {
  readonly status: number;
  /** Where a dialect has a status of its own. */
  readonly statuses?: Partial<Record<DialectName, number>>;
  /** Upstream requests for one client request. */
  readonly calls: number;
  /** The stream had begun: the failure is told inside it. */
  readonly inStream?: true;
  readonly message?: RegExp;
  readonly retryAfter?: string;
}

interface Success {
  /** Upstream requests for one client request. Default 1. */
  readonly calls?: number;
  readonly text?: string;
  /** How each dialect names an end that is not the usual one. */
  readonly end?: Record<DialectName, string>;
}

type Fault = readonly [name: string, behaviour: Behaviour, outcome: { fails: Failure } | { answers: Success }];

const sse = (...events: object[]): string =>
  events.map((event) => `event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
const created = {
  type: "response.created",
  response: { id: "resp_1", object: "response", status: "in_progress", output: [] },
};
const message = {
  type: "message",
  id: "msg_1",
  status: "completed",
  role: "assistant",
  content: [{ type: "output_text", text: "pong", annotations: [] }],
};
const added = {
  type: "response.output_item.added",
  output_index: 0,
  item: { ...message, status: "in_progress", content: [] },
};
const done = { type: "response.output_item.done", output_index: 0, item: message };
const delta = {
  type: "response.output_text.delta",
  output_index: 0,
  content_index: 0,
  item_id: "msg_1",
  delta: "pong",
};
const completed = (fields: object = {}) => ({
  type: "response.completed",
  response: { id: "resp_1", object: "response", status: "completed", output: [], ...fields },
});
const stream = { "content-type": "text/event-stream" };
const overloaded = { terminal: { failed: "server_is_overloaded" }, afterEvents: 1 } as const;
const page = "<!DOCTYPE html><html><body><script>alert('secret-page')</script></body></html>";
const html = { "content-type": "text/html; charset=utf-8", "cf-ray": "ray-1-TST" };
const envelope = (code: string) => ({ error: { message: `it says ${code}`, type: "server_error", code } });

const beforeOutput: Fault[] = [
  [
    "an end that says it failed",
    { sse: sse(created, completed({ status: "failed", error: envelope("server_error").error })), times: ALWAYS },
    { fails: { status: 502, calls: TRIED, message: /it says server_error/ } },
  ],
  [
    "a gateway's page that calls the request too large",
    { status: 413, body: page, headers: html, times: ALWAYS },
    { fails: { status: 413, calls: 1 } },
  ],
  ["reset before the headers", { cut: "before-headers", times: ALWAYS }, { fails: { status: 502, calls: TRIED } }],
  ["one reset before the headers", { cut: "before-headers" }, { answers: { calls: 2 } }],
  ["two resets before the headers", { cut: "before-headers", times: 2 }, { answers: { calls: 3 } }],
  [
    "cut before the first output",
    { cut: "between-events", afterEvents: 1, times: ALWAYS },
    { fails: { status: 502, calls: TRIED } },
  ],
  ["cut once before the first output", { cut: "mid-event", afterEvents: 1 }, { answers: { calls: 2 } }],
  ["a clean end at once", { sse: "", times: ALWAYS }, { fails: { status: 502, calls: TRIED } }],
  [
    "a clean end before the first output",
    { terminal: "none", afterEvents: 1, times: ALWAYS },
    { fails: { status: 502, calls: TRIED } },
  ],
  ["one clean end before the first output", { terminal: "none", afterEvents: 2 }, { answers: { calls: 2 } }],
  [
    "overload hidden in a 200",
    { ...overloaded, times: ALWAYS },
    { fails: { status: 503, statuses: { messages: 529 }, calls: TRIED } },
  ],
  ["overload hidden in one 200", overloaded, { answers: { calls: 2 } }],
  [
    "overload as an error event in one 200",
    { sse: sse({ type: "error", error: { code: "slow_down", message: "slow down" } }) },
    { answers: { calls: 2 } },
  ],
  [
    "a limit of the plan in a 200",
    { sse: sse(created, { type: "error", error: { code: "usage_limit_reached", message: "m" } }), times: ALWAYS },
    { fails: { status: 429, calls: 1 } },
  ],
  [
    "an overflow in a 200",
    { terminal: { failed: "context_length_exceeded" }, afterEvents: 1, times: ALWAYS },
    { fails: { status: 400, calls: 1 } },
  ],
  [
    "status 500",
    { status: 500, body: envelope("server_error"), times: ALWAYS },
    { fails: { status: 502, calls: 1, message: /it says server_error/ } },
  ],
  ["status 502", { status: 502, body: "bad gateway", times: ALWAYS }, { fails: { status: 502, calls: TRIED } }],
  ["one status 502", { status: 502, body: "bad gateway" }, { answers: { calls: 2 } }],
  ["one status 503", { status: 503, body: "" }, { answers: { calls: 2 } }],
  ["status 504", { status: 504, body: "", times: ALWAYS }, { fails: { status: 504, calls: TRIED } }],
  ["two statuses 504", { status: 504, body: "", times: 2 }, { answers: { calls: 3 } }],
  [
    "overload by status",
    { fixture: "http-503-server_is_overloaded.json", times: ALWAYS },
    { fails: { status: 503, statuses: { messages: 529 }, calls: TRIED } },
  ],
  ["overload by one status", { fixture: "http-503-slow_down.json" }, { answers: { calls: 2 } }],
  [
    "overload for an hour",
    { status: 503, body: envelope("server_is_overloaded"), headers: { "retry-after": "3600" }, times: ALWAYS },
    { fails: { status: 503, statuses: { messages: 529 }, calls: 1, retryAfter: "3600" } },
  ],
  [
    "a used-up plan",
    { fixture: "http-429-usage_limit_reached.json", times: ALWAYS },
    { fails: { status: 429, calls: 1 } },
  ],
  ["an empty error", { status: 500, body: "", times: ALWAYS }, { fails: { status: 502, calls: 1 } }],
  [
    "an HTML page with 500",
    { status: 500, body: page, headers: html, times: ALWAYS },
    { fails: { status: 502, calls: 1, message: /error page/ } },
  ],
  [
    "an HTML page with 502",
    { status: 502, body: page, headers: html, times: ALWAYS },
    { fails: { status: 502, calls: TRIED, message: /error page/ } },
  ],
  [
    "an HTML page with 200",
    { status: 200, body: page, headers: html, times: ALWAYS },
    { fails: { status: 502, calls: 1, message: /web page/ } },
  ],
  [
    "an unlabelled page with 403",
    { status: 403, body: page, times: ALWAYS },
    { fails: { status: 403, calls: 1, message: /edge/ } },
  ],
  [
    "the edge's challenge",
    { fixture: "http-403-cloudflare.json", times: ALWAYS },
    { fails: { status: 403, calls: 1, message: /ray/ } },
  ],
  [
    "JSON in place of a stream",
    { status: 200, body: { ok: true }, times: ALWAYS },
    { fails: { status: 502, calls: TRIED } },
  ],
  [
    "a truncated error body",
    { status: 500, body: '{"error":{"mess', headers: { "content-length": "400" }, times: ALWAYS },
    { fails: { status: 502, calls: 1 } },
  ],
  [
    "a body that is no gzip",
    { status: 200, body: "plain", headers: { ...stream, "content-encoding": "gzip" }, times: ALWAYS },
    { fails: { status: 502, calls: TRIED } },
  ],
  [
    "a gzip body cut short",
    {
      status: 200,
      body: gzipSync(sse(created)).subarray(0, 40),
      headers: { ...stream, "content-encoding": "gzip" },
      times: ALWAYS,
    },
    { fails: { status: 502, calls: TRIED } },
  ],
  [
    "broken JSON in the first event",
    { sse: 'event: response.created\ndata: {"type":"resp\n\n', times: ALWAYS },
    { fails: { status: 502, calls: TRIED } },
  ],
];

/** The answer's beginning has been read when the connection breaks. */
const later = { afterEvents: 7, stallAfterEvents: 7, stallMs: 300 } as const;
const afterOutput: Fault[] = [
  ...[null, 5, undefined].map(
    (wrong): Fault => [
      `a delta that is ${wrong}`,
      { sse: sse(created, added, { ...delta, delta: wrong }, completed()) },
      { fails: { status: 502, calls: 1, inStream: true, message: /malformed/ } },
    ],
  ),
  ...["zero", -1, 1e9].map(
    (wrong): Fault => [
      `an item at ${wrong}`,
      { sse: sse(created, { ...added, output_index: wrong }, { ...done, output_index: wrong }, completed()) },
      { fails: { status: 502, calls: 1, inStream: true, message: /malformed/ } },
    ],
  ),
  ["cut between events", { cut: "between-events", ...later }, { fails: { status: 502, calls: 1, inStream: true } }],
  ["cut inside an event", { cut: "mid-event", ...later }, { fails: { status: 502, calls: 1, inStream: true } }],
  [
    "a clean end without a terminal event",
    { terminal: "none", afterEvents: 7 },
    { fails: { status: 502, calls: 1, inStream: true } },
  ],
  ["a clean end after all items", { terminal: "none" }, { fails: { status: 502, calls: 1, inStream: true } }],
  [
    "an error event",
    { terminal: { error: { error: { code: "server_error", message: "it broke" } } }, afterEvents: 7 },
    { fails: { status: 502, calls: 1, inStream: true, message: /it broke/ } },
  ],
  [
    "response.failed",
    { terminal: { failed: "server_error", message: "it broke" }, afterEvents: 7 },
    { fails: { status: 502, calls: 1, inStream: true, message: /it broke/ } },
  ],
  [
    "response.failed by overload",
    { terminal: { failed: "server_is_overloaded" }, afterEvents: 7 },
    { fails: { status: 503, statuses: { messages: 529 }, calls: 1, inStream: true } },
  ],
  [
    "response.failed by a rate limit",
    { terminal: { failed: "rate_limit_exceeded" }, afterEvents: 7 },
    { fails: { status: 429, calls: 1, inStream: true } },
  ],
  [
    "response.failed by policy",
    { terminal: { failed: "cyber_policy" }, afterEvents: 7 },
    { fails: { status: 400, calls: 1, inStream: true } },
  ],
  ["an event of broken JSON", { malformedEvents: true }, { fails: { status: 502, calls: 1, inStream: true } }],
];

const endings = {
  chat: "stop",
  messages: "end_turn",
  responses: "completed",
} as const;

const oddities: Fault[] = [
  [
    "an item at null",
    { sse: sse(created, { ...added, output_index: null }, delta, { ...done, output_index: null }, completed()) },
    { answers: { text: "pong" } },
  ],
  [
    "an event in several lines",
    {
      sse: [created, added, delta, done, completed()]
        .map((event) => `${JSON.stringify(event, null, 1).replace(/^/gm, "data: ")}\n\n`)
        .join(""),
    },
    { answers: { text: "pong" } },
  ],
  [
    "an answer told by its last event alone",
    { sse: sse(created, completed({ output: [message] })) },
    { answers: { text: "pong" } },
  ],
  [
    "an item that is finished twice",
    { sse: sse(created, added, delta, done, done, completed()) },
    { answers: { text: "pong" } },
  ],
  [
    "a failure after the end",
    { sse: sse(created, added, delta, done, completed(), { type: "error", code: "server_error", message: "late" }) },
    { answers: { text: "pong" } },
  ],
  [
    "usage that is no number",
    { sse: sse(created, added, delta, done, completed({ usage: { input_tokens: "ten", output_tokens: {} } })) },
    { answers: { text: "pong" } },
  ],
  ["unknown events, fields and comments", { unknownEvents: true }, { answers: {} }],
  ["an event line of 8 MB", { bigEventBytes: 8_000_000 }, { answers: {} }],
  ["CRLF line ends", { lineEnd: "\r\n" }, { answers: {} }],
  ["CR line ends", { lineEnd: "\r" }, { answers: {} }],
  ["bytes one at a time", { splitBytes: 1, text: "zwölf 👋🌍 ☃" }, { answers: { text: "zwölf 👋🌍 ☃" } }],
  ["CRLF in pieces of three bytes", { splitBytes: 3, lineEnd: "\r\n" }, { answers: {} }],
  [
    "line and paragraph separators, NEL and a byte order mark",
    { text: "a\u2028b\u2029c\u0085d\uFEFFe" },
    { answers: { text: "a\u2028b\u2029c\u0085d\uFEFFe" } },
  ],
  [
    "control characters and line breaks",
    { text: "a\r\n\r\ndata: x\n\n\u0000\u001f" },
    { answers: { text: "a\r\n\r\ndata: x\n\n\u0000\u001f" } },
  ],
  ["gzip", { gzip: true }, { answers: {} }],
  ["data lines only", { dataOnly: true }, { answers: {} }],
  ["finished items only", { doneItemsOnly: true }, { answers: {} }],
  ["output repeated in the terminal event", { fillOutput: true }, { answers: {} }],
  [
    "an answer cut at the token limit",
    { terminal: { incomplete: "max_output_tokens" } },
    { answers: { end: { chat: "length", messages: "max_tokens", responses: "max_output_tokens" } } },
  ],
  [
    "an answer cut by the content filter",
    { terminal: { incomplete: "content_filter" } },
    { answers: { end: { chat: "content_filter", messages: "refusal", responses: "content_filter" } } },
  ],
  [
    "a wait that upstream asks for",
    { status: 503, body: envelope("slow_down"), headers: { "retry-after": "1" } },
    { answers: { calls: 2 } },
  ],
  [
    "a rate limit that passes within a second",
    { status: 429, body: envelope("rate_limit_exceeded"), headers: { "retry-after": "1" } },
    { answers: { calls: 2 } },
  ],
];

/** These keep a CPU busy, so they are not run beside what is timed. */
const large: Fault[] = [
  [
    "an error page of 4 MB",
    { status: 500, body: `oops ${"x".repeat(4_000_000)}`, times: ALWAYS },
    { fails: { status: 502, calls: 1 } },
  ],
  [
    "an event of 40 MB",
    {
      status: 200,
      body: `data: {"type":"response.x","pad":"${"p".repeat(40_000_000)}"}\n\n`,
      headers: stream,
      times: 1,
    },
    { answers: { calls: 2 } },
  ],
];

describe.each(runtimes)("upstream faults on $name", (runtime) => {
  let upstream: Upstream;
  let server: RunningServer;
  let cases = 0;

  beforeAll(async () => {
    upstream = await startUpstream();
    server = await startServer(runtime, { upstream, prepare: (codexHome) => void writeAuthFile(codexHome, "chatgpt") });
    // The first request learns catalogue and route; faults are counted from there on.
    await ask(server, dialects[0] as ClientDialect, "first", false);
  });
  afterAll(async () => {
    const log = server?.log() ?? "";
    await server?.stop();
    await upstream?.close();
    expect(log).not.toMatch(/internal_error|unhandled|uncaught/i);
  });

  /** Requests are told apart by a word in their prompt, so that all cases can run side by side. */
  function mark(): { marker: string; mine: (request: RecordedRequest) => boolean } {
    const marker = `case-${++cases}-end`;
    return { marker, mine: (request) => request.path.endsWith("/responses") && request.text.includes(marker) };
  }

  async function check(dialect: ClientDialect, streamed: boolean, [, behaviour, outcome]: Fault): Promise<void> {
    const { marker, mine } = mark();
    upstream.script(mine, behaviour);
    const begun = Date.now();
    const { response, text } = await ask(server, dialect, marker, streamed);
    // Where repeats take longer than the client is left without headers, the failure is told in the stream as well.
    const late = Date.now() - begun > 3_000;
    const calls = upstream.requestsTo(mine).length;
    expect(response.headers.get("x-request-id")).toMatch(/./);
    expect(response.headers.get("set-cookie")).toBeNull();
    expect(text).not.toMatch(/<html|secret-page|__cf_bm|undefined|\[object/i);
    if ("answers" in outcome) {
      const { answers } = outcome;
      expect([response.status, text.slice(0, 500)]).toEqual([200, expect.anything()]);
      const read = streamed ? dialect.readStream(readEvents(text)) : dialect.readWhole(JSON.parse(text));
      expect(read.end).toBe(answers.end?.[dialect.name] ?? endings[dialect.name]);
      if (answers.text === undefined) expect(read.text).toContain(marker);
      else expect(read.text).toBe(answers.text);
      expect(calls).toBe(answers.calls ?? 1);
      return;
    }
    const { fails } = outcome;
    const status = fails.statuses?.[dialect.name] ?? fails.status;
    let error: unknown;
    if (streamed && (fails.inStream || (late && response.status === 200))) {
      expect(response.status).toBe(200);
      const read = dialect.readStream(readEvents(text));
      expect(read.end).toBeUndefined();
      error = read.error;
    } else {
      expect([response.status, text.slice(0, 500)]).toEqual([status, expect.anything()]);
      expect(response.headers.get("content-type")).toContain("application/json");
      error = JSON.parse(text);
    }
    dialect.checkError(error);
    const { message } = (error as { error: { message: string } }).error;
    expect(message.length).toBeLessThan(1_000);
    if (fails.message) expect(message).toMatch(fails.message);
    if (fails.retryAfter) expect(response.headers.get("retry-after")).toBe(fails.retryAfter);
    expect(calls).toBe(fails.calls);
  }

  async function everywhere(fault: Fault): Promise<void> {
    await Promise.all(dialects.flatMap((dialect) => [check(dialect, false, fault), check(dialect, true, fault)]));
  }

  describe.concurrent("side by side", () => {
    it("silence of 16 s before the headers is bridged within 15 s, and the answer then comes", async () => {
      await Promise.all(dialects.map((dialect) => checkBridged(dialect, { stallMs: 16_000 })));
    });
    it("silence of 16 s in the middle is bridged within 15 s, and the answer then goes on", async () => {
      await Promise.all(dialects.map((dialect) => checkBridged(dialect, { stallMs: 16_000, stallAfterEvents: 6 })));
    });
    it.each(beforeOutput)("before the first output: %s", (...fault) => everywhere(fault));
    it.each(afterOutput)("after the first output: %s", (...fault) => everywhere(fault));
    it.each(oddities)("no fault: %s", (...fault) => everywhere(fault));
  });
  describe("of great size", () => {
    it.each(large)("%s", (...fault) => everywhere(fault));
  });

  async function checkBridged(dialect: ClientDialect, behaviour: Behaviour): Promise<void> {
    const { marker, mine } = mark();
    upstream.script(mine, behaviour);
    const begun = Date.now();
    const response = await post(server, dialect, marker, true);
    const heard = [begun];
    let text = "";
    for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
      heard.push(Date.now());
      text += new TextDecoder().decode(bytes);
    }
    const longest = Math.max(...heard.slice(1).map((at, index) => at - (heard[index] as number)));
    expect(longest).toBeLessThan(15_000);
    expect(Date.now() - begun).toBeGreaterThan(15_000);
    const read = dialect.readStream(readEvents(text));
    expect([read.end, read.text.includes(marker)]).toEqual([endings[dialect.name], true]);
    expect(upstream.requestsTo(mine)).toHaveLength(1);
  }

  it("follows no redirect, in particular not with credentials", async () => {
    const seen: string[] = [];
    const elsewhere = createServer((request, response) => {
      seen.push(request.headers.authorization ?? "none");
      response.end();
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/responses`;
    for (const status of [301, 302, 303, 307, 308]) {
      const fault = { status, headers: { location }, body: "", times: ALWAYS };
      await everywhere(["redirect", fault, { fails: { status: 502, calls: 1, message: /redirects/ } }]);
    }
    elsewhere.close();
    expect(seen).toEqual([]);
  });

  it("hands on no cookie, server name or page", async () => {
    for (const dialect of dialects) {
      const { response, text } = await ask(server, dialect, "hello", true);
      expect(response.status).toBe(200);
      const names = [...response.headers.keys()];
      expect(names.filter((name) => /cookie|^server$|^cf-|via/.test(name))).toEqual([]);
      expect(text).not.toContain(EDGE_COOKIE.split(";")[0]);
    }
  });

  it("serves as if nothing had been", async () => {
    for (const dialect of dialects) {
      const { response, text } = await ask(server, dialect, "once more", false);
      expect([response.status, dialect.readWhole(JSON.parse(text)).text]).toEqual([
        200,
        expect.stringContaining("once more"),
      ]);
    }
  });
});

describe.each(runtimes)("upstream out of reach on $name", (runtime) => {
  const prepare = (codexHome: string): void => void writeAuthFile(codexHome, "chatgpt");

  it("nobody listens", async () => {
    const nowhere = `http://127.0.0.1:${await freePort()}`;
    const addresses = { chatgptBaseUrl: `${nowhere}/codex`, openaiBaseUrl: nowhere, refreshTokenUrl: nowhere };
    const server = await startServer(runtime, { upstream: addresses, prepare });
    try {
      await expectFailure(server, 502);
    } finally {
      await server.stop();
    }
  });

  it("what listens does not speak HTTP", async () => {
    const { createServer: createTcpServer } = await import("node:net");
    const babbler = createTcpServer((socket) => {
      socket.on("error", () => {});
      socket.end("SSH-2.0-OpenSSH_9.6\r\n");
    });
    await new Promise<void>((resolve) => babbler.listen(0, "127.0.0.1", resolve));
    const origin = `http://127.0.0.1:${(babbler.address() as AddressInfo).port}`;
    const addresses = { chatgptBaseUrl: `${origin}/codex`, openaiBaseUrl: origin, refreshTokenUrl: origin };
    const server = await startServer(runtime, { upstream: addresses, prepare });
    try {
      await expectFailure(server, 502);
    } finally {
      await server.stop();
      babbler.close();
    }
  });

  it("a silent upstream is given up after --idle-timeout, before the headers and inside the answer", async () => {
    const upstream = await startUpstream();
    const args = ["--idle-timeout", "1", "--max-attempts", "1"];
    const server = await startServer(runtime, { upstream, args, prepare });
    try {
      for (const behaviour of [{ stallMs: 8_000 }, { stallMs: 8_000, stallAfterEvents: 1 }]) {
        upstream.script("/responses", { ...behaviour, times: ALWAYS });
        const begun = Date.now();
        await expectFailure(server, 504);
        expect(Date.now() - begun).toBeLessThan(6_000);
        upstream.reset();
      }
      upstream.script("/responses", { stallMs: 8_000, stallAfterEvents: 7, times: ALWAYS });
      for (const dialect of dialects) {
        const { response, text } = await ask(server, dialect, "hello", true);
        const read = dialect.readStream(readEvents(text));
        expect([response.status, read.end]).toEqual([200, undefined]);
        dialect.checkError(read.error);
      }
      await expect.poll(() => upstream.requestsTo("/responses").every((one) => one.closedByClient)).toBe(true);
    } finally {
      await server.stop();
      await upstream.close();
    }
  });

  async function expectFailure(server: RunningServer, status: number): Promise<void> {
    const checks = dialects.flatMap((dialect) =>
      [false, true].map(async (streamed) => {
        const { response, text } = await ask(server, dialect, "hello", streamed);
        expect([response.status, text]).toEqual([status, expect.anything()]);
        dialect.checkError(JSON.parse(text));
      }),
    );
    await Promise.all(checks);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
  }
});

function post(server: RunningServer, dialect: ClientDialect, prompt: string, streamed: boolean): Promise<Response> {
  return fetch(server.url + dialect.path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(dialect.body(prompt, streamed)),
  });
}

async function ask(
  server: RunningServer,
  dialect: ClientDialect,
  prompt: string,
  streamed: boolean,
): Promise<{ response: Response; text: string }> {
  const response = await post(server, dialect, prompt, streamed);
  return { response, text: await response.text() };
}
