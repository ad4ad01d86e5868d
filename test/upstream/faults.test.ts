import { request as httpRequest } from "node:http";
import { gunzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { classicBody, doneItems, parseSse, postSeat, seatHeaders, textOf } from "./helpers.ts";
import { type Behaviour, EDGE_COOKIE, mintToken, startUpstream, type Upstream } from "./index.ts";

const RESPONSES = "/codex/responses";
let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => upstream.reset());
afterAll(() => upstream.close());

async function textWith(behaviour: Behaviour): Promise<string> {
  upstream.script(RESPONSES, behaviour);
  return (await postSeat(upstream, classicBody())).text();
}

test("behaviours are taken in order, each as often as it says, and only by requests that match", async () => {
  upstream.script(RESPONSES, { status: 503, times: 2 });
  upstream.script((request) => request.headers.originator === "codex_exec", { status: 418 });
  upstream.script(RESPONSES, { fixture: "http-429-usage_limit_reached.json" });
  const statuses = [];
  for (let index = 0; index < 4; index++) statuses.push((await postSeat(upstream, classicBody())).status);
  statuses.push((await postSeat(upstream, classicBody(), { originator: "codex_exec" })).status);
  expect(statuses).toEqual([503, 503, 429, 200, 418]);
});

test("a whole scripted answer comes with the fixture's body and headers, and the edge's cookie", async () => {
  upstream.script(RESPONSES, { fixture: "http-403-cloudflare.json", headers: { "retry-after": "3" } });
  const response = await postSeat(upstream, classicBody());
  expect(response.status).toBe(403);
  expect(response.headers.get("cf-mitigated")).toBe("challenge");
  expect(response.headers.get("retry-after")).toBe("3");
  expect(response.headers.getSetCookie()).toEqual([EDGE_COOKIE]);
  expect(await response.text()).toContain("<html>");
});

describe("the stream's end", () => {
  test.each<[string, Behaviour, object]>([
    [
      "failed",
      { terminal: { failed: "server_is_overloaded", message: "busy" } },
      { type: "response.failed", response: { error: { code: "server_is_overloaded", message: "busy" } } },
    ],
    [
      "incomplete",
      { terminal: { incomplete: "content_filter" } },
      { type: "response.incomplete", response: { incomplete_details: { reason: "content_filter" } } },
    ],
    ["error", { terminal: { error: { error: { code: "x" } } } }, { type: "error", error: { code: "x" } }],
    ["none", { terminal: "none" }, { type: "response.output_item.done" }],
    ["failed at once", { terminal: { failed: "server_error" }, afterEvents: 0 }, { type: "response.failed" }],
    ["an early end", { afterEvents: 3, terminal: "none" }, { sequence_number: 2 }],
  ])("%s", async (_name, behaviour, last) => {
    expect(parseSse(await textWith(behaviour)).at(-1)).toMatchObject(last);
  });

  test.each<[string, Behaviour]>([
    ["before the headers", { cut: "before-headers" }],
    ["between events", { cut: "between-events", afterEvents: 2 }],
    ["inside an event", { cut: "mid-event", afterEvents: 2 }],
  ])("a connection cut %s breaks the client, and is not the client's doing", async (_name, behaviour) => {
    await expect(textWith(behaviour)).rejects.toThrow();
    const request = await upstream.waitFor((entry) => entry.closedAt !== undefined);
    expect(request.closedByClient).toBe(false);
  });
});

describe("the stream's form", () => {
  const plain = async () => textOf(doneItems(parseSse(await textWith({}))));

  test.each<[string, Behaviour]>([
    ["CRLF line ends", { lineEnd: "\r\n" }],
    ["bytes one at a time", { splitBytes: 1 }],
    ["seven bytes at a time", { splitBytes: 7 }],
    ["gzip", { gzip: true }],
    ["data lines only", { dataOnly: true }],
    ["no deltas", { doneItemsOnly: true }],
    ["unknown events", { unknownEvents: true }],
    ["a long line", { bigEventBytes: 8_000_000 }],
    ["a pace", { paceMs: 1 }],
  ])("%s gives the same answer", async (_name, behaviour) => {
    expect(textOf(doneItems(parseSse(await textWith(behaviour))))).toBe(await plain());
  });

  test("each form shows in the bytes", async () => {
    expect(await textWith({ lineEnd: "\r\n" })).toContain('created\r\ndata: {"type"');
    expect(await textWith({ dataOnly: true })).toMatch(/^data: \{[\s\S]*data: \[DONE\]\n\n$/);
    expect(await textWith({ doneItemsOnly: true })).not.toContain(".delta");
    expect(await textWith({ unknownEvents: true })).toContain("response.invented.later");
    expect((await textWith({ bigEventBytes: 8_000_000 })).length).toBeGreaterThan(8_000_000);
    expect(await textWith({ malformedEvents: true })).toContain('data: {"type":"response.broken",\n');
    expect(await textWith({ fixture: "minimal.sse" })).toContain("pong");
    expect(await textWith({ sse: "data: [DONE]\n\n" })).toBe("data: [DONE]\n\n");
    expect(textOf(doneItems(parseSse(await textWith({ text: "a\u2028b" }))))).toBe("a\u2028b");
  });

  test("gzip is compressed on the wire", async () => {
    upstream.script(RESPONSES, { gzip: true });
    const raw = await new Promise<Buffer>((resolve, reject) => {
      const call = httpRequest(
        `${upstream.chatgptBaseUrl}/responses`,
        { method: "POST", headers: seatHeaders() },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", () => resolve(Buffer.concat(chunks)));
        },
      );
      call.on("error", reject).end(JSON.stringify(classicBody()));
    });
    expect(gunzipSync(raw).toString()).toContain("response.completed");
  });

  test("final output is filled when asked for", async () => {
    const final = parseSse(await textWith({ fillOutput: true })).at(-1);
    expect(final).toMatchObject({ response: { output: [{ type: "reasoning" }, { type: "message" }] } });
  });
});

test.each<[string, Behaviour]>([
  ["before the headers", { stallMs: 5000 }],
  ["after two events", { stallMs: 5000, stallAfterEvents: 2 }],
])("a client that leaves during a stall %s is seen", async (_name, behaviour) => {
  upstream.script(RESPONSES, behaviour);
  const abort = new AbortController();
  const asked = fetch(`${upstream.chatgptBaseUrl}/responses`, {
    method: "POST",
    headers: seatHeaders(),
    body: JSON.stringify(classicBody()),
    signal: abort.signal,
  });
  asked.catch(() => undefined);
  if (behaviour.stallAfterEvents === undefined) await upstream.waitFor(() => true);
  else await asked;
  abort.abort();
  const request = await upstream.waitFor((entry) => entry.closedByClient);
  expect(request.path).toBe("/backend-api/codex/responses");
});

test("requests are recorded with their bytes, connection and leaked headers", async () => {
  await (await postSeat(upstream, classicBody(), { cookie: "a=b", "x-api-key": "k" })).text();
  const [request] = upstream.requestsTo("/backend-api");
  expect(request).toMatchObject({
    method: "POST",
    json: classicBody(),
    leaks: ["cookie", "x-api-key"],
    refusal: undefined,
  });
  expect(request?.raw.toString()).toBe(JSON.stringify(classicBody()));
  expect(request?.connection).toBeGreaterThan(0);
});

test("an unknown path is 404, another method 405, an upgrade 426", async () => {
  expect((await fetch(`${upstream.origin}/nowhere`)).status).toBe(404);
  expect((await fetch(`${upstream.chatgptBaseUrl}/responses`)).status).toBe(405);
  const status = await new Promise((resolve) => {
    const headers = { connection: "Upgrade", upgrade: "websocket" };
    httpRequest(`${upstream.chatgptBaseUrl}/responses`, { headers }, (response) => resolve(response.statusCode)).end();
  });
  expect(status).toBe(426);
});

test("a prompt over the model's window fails inside the stream", async () => {
  const body = classicBody({ instructions: "word ".repeat(220_000) });
  const last = parseSse(await (await postSeat(upstream, body)).text()).at(-1);
  expect(last).toMatchObject({ type: "response.failed", response: { error: { code: "context_length_exceeded" } } });
});

test("waiting for a request that never comes says what came", async () => {
  await fetch(`${upstream.origin}/seen`);
  await expect(upstream.waitFor(() => false, 10)).rejects.toThrow("GET /seen");
});

test("options move the lanes, the identity gate, the clock and the final output", async () => {
  const options = {
    liteOnlyModels: ["gpt-6-sol"],
    identityGate: "all",
    fillOutput: true,
    now: () => 1_000_000,
  } as const;
  const other = await startUpstream(options);
  const ask = async (model: string, originator = "codex_cli_rs") => {
    const authorization = `Bearer ${mintToken({ now: 1_000_000 })}`;
    const response = await postSeat(other, classicBody({ model }), { originator, authorization });
    return [response.status, parseSse(await response.text()).at(-1)] as const;
  };
  expect((await ask("gpt-6-sol"))[0]).toBe(404);
  expect((await ask("gpt-5.5", "somebody"))[0]).toBe(404);
  const [status, last] = await ask("gpt-5.5");
  expect(status).toBe(200);
  expect(last).toMatchObject({ response: { created_at: 1000, output: [{ type: "reasoning" }, { type: "message" }] } });
  await other.close();
});
