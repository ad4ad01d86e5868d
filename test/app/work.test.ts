import { createHook } from "node:async_hooks";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type App, createApp } from "../../src/app.ts";
import { createMetricsRegistry } from "../../src/observability/metrics-registry.ts";
import type { ByteSink, UpstreamFetch } from "../../src/platform.ts";
import { fromPush } from "../../src/stream/byte-source.ts";
import type { Upstream } from "../upstream/index.ts";
import { testConfig } from "./support/config.ts";

/**
 * Speed that no clock can judge on a shared machine: what a stream costs in counted work. The limits are generous, about
 * twice today's figures; whoever breaks one has put work on the path of every delta.
 */
const DELTAS_A_CHUNK = 20;
const FEW = 200;
const MANY = 1_000;

const routes = [
  // One parse of the delta and one quoting of its text.
  { path: "/v1/chat/completions", parses: 1.2, quotes: 1.2 },
  { path: "/v1/messages", parses: 1.2, quotes: 1.2 },
  // Handed on as it came.
  { path: "/v1/responses", parses: 0.1, quotes: 0.1 },
] as const;

interface Work {
  parses: number;
  quotes: number;
  encodes: number;
  decodes: number;
  promises: number;
  chunks: number;
}

afterEach(() => vi.restoreAllMocks());

describe("work on the path of an event", () => {
  for (const { path, parses, quotes } of routes) {
    it(`stays within its limits on ${path}`, async () => {
      await measure(path, FEW);
      const few = await measure(path, FEW);
      const many = await measure(path, MANY);
      const each = (kind: keyof Work) => (many[kind] - few[kind]) / (MANY - FEW);
      expect(each("parses")).toBeLessThanOrEqual(parses);
      expect(each("quotes")).toBeLessThanOrEqual(quotes);
      // Once a turn, not once an event: a turn here has 20 of them.
      expect(each("chunks")).toBeLessThanOrEqual(2 / DELTAS_A_CHUNK);
      expect(each("encodes")).toBeLessThanOrEqual(2 / DELTAS_A_CHUNK);
      expect(each("decodes")).toBeLessThanOrEqual(2 / DELTAS_A_CHUNK);
      expect(each("promises")).toBeLessThanOrEqual(10 / DELTAS_A_CHUNK);
    });
  }

  it("of a whole answer does not parse the deltas of finished items", async () => {
    const few = await measure("/v1/chat/completions", FEW, false);
    const many = await measure("/v1/chat/completions", MANY, false);
    expect(many.parses - few.parses).toBeLessThanOrEqual(2);
    expect(many.quotes - few.quotes).toBeLessThanOrEqual(2);
  });

  it("of a request itself stays within its limits", async () => {
    await measure("/v1/chat/completions", 1);
    const { promises, parses, quotes } = await measure("/v1/chat/completions", 1);
    expect(promises).toBeLessThanOrEqual(160);
    expect(parses).toBeLessThanOrEqual(12);
    expect(quotes).toBeLessThanOrEqual(40);
  });
});

const apps = new Map<number, App>();
/** The test runner works in the same process, and its promises are counted too: the least of several counts is the app's. */
const COUNTS = 3;

async function measure(path: string, deltas: number, stream = true): Promise<Work> {
  let least = await count(path, deltas, stream);
  for (let i = 1; i < COUNTS; i++) {
    const work = await count(path, deltas, stream);
    for (const kind of Object.keys(least) as (keyof Work)[])
      least = { ...least, [kind]: Math.min(least[kind], work[kind]) };
  }
  return least;
}

async function count(path: string, deltas: number, stream: boolean): Promise<Work> {
  const app = apps.get(deltas) ?? appFor(deltas);
  apps.set(deltas, app);
  const text = JSON.stringify(bodyFor(path, stream));
  const headers = { "content-type": "application/json", "content-length": String(text.length) };
  const request = new Request(`http://127.0.0.1:8765${path}`, { method: "POST", headers, body: text });
  const parse = vi.spyOn(JSON, "parse");
  const stringify = vi.spyOn(JSON, "stringify");
  const encode = vi.spyOn(TextEncoder.prototype, "encode");
  const decode = vi.spyOn(TextDecoder.prototype, "decode");
  let promises = 0;
  const hook = createHook({ init: (_id, type) => void (type === "PROMISE" && promises++) }).enable();
  const chunks = await readAll(await app.fetch(request));
  hook.disable();
  const work: Work = {
    parses: parse.mock.calls.length,
    quotes: stringify.mock.calls.length,
    encodes: encode.mock.calls.length,
    decodes: decode.mock.calls.length,
    promises,
    chunks: chunks.length,
  };
  vi.restoreAllMocks();
  const whole = Buffer.concat(chunks).toString();
  expect(whole).toContain(`token${deltas - 1} `);
  return work;
}

async function readAll(response: Response): Promise<Uint8Array[]> {
  expect(response.status).toBe(200);
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return chunks;
}

function bodyFor(path: string, stream: boolean): object {
  const messages = [{ role: "user", content: "Count." }];
  if (path === "/v1/responses") return { model: "gpt-5.5", input: "Count.", stream };
  return path === "/v1/messages"
    ? { model: "gpt-5.5", max_tokens: 100_000, messages, stream }
    : { model: "gpt-5.5", messages, stream };
}

function appFor(deltas: number): App {
  const base = "http://upstream.invalid";
  const upstream = { chatgptBaseUrl: base, openaiBaseUrl: base, authIssuer: base, refreshTokenUrl: base };
  const login = { accessToken: "token", refreshToken: undefined, accountId: "a", fedramp: false, expiresAt: undefined };
  const credentials = async () => ({ mode: "chatgpt" as const, ...login });
  return createApp({
    loadApi: () => import("../../src/api.ts"),
    config: testConfig({ upstream: upstream as Upstream, codexHome: "/nowhere" }),
    fetch: fixedUpstream(deltas),
    session: { current: credentials, recover: credentials, authPath: "/nowhere" },
    files: {} as never,
    clock: { now: () => Date.now(), sleep: () => Promise.resolve() },
    newId: () => "0".repeat(32),
    log: { debugEnabled: false, write() {} },
    metrics: createMetricsRegistry(Date.now),
    env: () => undefined,
  });
}

function fixedUpstream(deltas: number): UpstreamFetch {
  const chunks = chunksOf(deltas);
  const models = new TextEncoder().encode('{"models":[]}');
  return async (url) =>
    fromPush({
      status: url.endsWith("/responses") || url.includes("/models") ? 200 : 404,
      headers: new Headers({ "content-type": "text/event-stream" }),
      open: (sink) => push(url.endsWith("/responses") ? chunks : [models], sink),
      discard() {},
    });
}

/** One chunk an event-loop turn. */
function push(chunks: readonly Uint8Array<ArrayBuffer>[], sink: ByteSink) {
  let at = 0;
  let live = true;
  const next = (): void => {
    if (!live) return;
    const chunk = chunks[at++];
    if (!chunk) {
      sink.end();
      return;
    }
    sink.chunk(chunk);
    setTimeout(next, 0);
  };
  setImmediate(next);
  return {
    pause() {},
    resume() {},
    cancel() {
      live = false;
    },
  };
}

function chunksOf(deltas: number): Uint8Array<ArrayBuffer>[] {
  const utf8 = new TextEncoder();
  const text = Array.from({ length: deltas }, (_, index) => `token${index} `).join("");
  const part = { type: "output_text", text, annotations: [] };
  const item = { id: "msg_1", type: "message", role: "assistant", status: "completed", content: [part] };
  const place = { item_id: "msg_1", output_index: 0, content_index: 0 };
  const response = { id: "resp_1", object: "response", created_at: 1, model: "gpt-5.5", output: [] };
  const usage = { input_tokens: 1, output_tokens: deltas, total_tokens: deltas + 1 };
  const tokens = text.match(/\S+ /g) ?? [];
  const events: ({ type: string } & Record<string, unknown>)[] = [
    { type: "response.created", response },
    { type: "response.output_item.added", output_index: 0, item: { ...item, content: [] } },
    { type: "response.content_part.added", ...place, part: { ...part, text: "" } },
    ...tokens.map((delta) => ({ type: "response.output_text.delta", ...place, delta, logprobs: [] })),
    { type: "response.output_text.done", ...place, text, logprobs: [] },
    { type: "response.content_part.done", ...place, part },
    { type: "response.output_item.done", output_index: 0, item },
    { type: "response.completed", response: { ...response, status: "completed", usage } },
  ];
  const frames = events.map(
    ({ type, ...rest }, sequence_number) =>
      `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number, ...rest })}\n\n`,
  );
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < frames.length; at += DELTAS_A_CHUNK)
    chunks.push(utf8.encode(frames.slice(at, at + DELTAS_A_CHUNK).join("")));
  return chunks;
}
