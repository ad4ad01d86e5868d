import { describe, expect, test } from "vitest";
import type { Credentials } from "../../../src/credentials/credentials.ts";
import { ProxyError } from "../../../src/errors.ts";
import { toResponse } from "../../../src/stream/web-body.ts";
import { readFixtureJson } from "../../upstream/index.ts";
import {
  API_KEY,
  type Call,
  CHATGPT,
  canonical,
  failing,
  makeUpstream,
  scripted,
  sendOptions,
  sse,
  user,
} from "./support.ts";

const NO_ROUTE = { ...CHATGPT, accountId: undefined };
const unsupported = (name: string) => failing(400, { detail: `Unsupported parameter: ${name}` });
const overloaded = () => failing(503, { error: { code: "server_is_overloaded", message: "busy" } });

function run(answers: Parameters<typeof scripted>[0], harness: Parameters<typeof makeUpstream>[1] = {}) {
  const script = scripted(answers);
  const made = makeUpstream(script.fetch, { credentials: NO_ROUTE, ...harness });
  return { ...made, calls: script.calls };
}

describe("send", () => {
  test("a plain request carries identity, credentials and the backend's fixed fields", async () => {
    const { upstream, calls } = run([sse()]);
    const answer = await upstream.send(
      canonical(
        { temperature: 0, max_output_tokens: 9 },
        { clientNames: { max_output_tokens: "max_tokens" }, dropped: ["seed"] },
      ),
      sendOptions(),
    );
    expect(calls[0]?.url).toBe("https://chatgpt.com/backend-api/codex/responses");
    expect(calls[0]?.request.headers).toMatchObject({
      authorization: "Bearer access-1",
      originator: "codex_cli_rs",
      version: "0.169.0",
      accept: "text/event-stream",
    });
    expect(calls[0]?.json).toMatchObject({ stream: true, store: false, include: ["reasoning.encrypted_content"] });
    expect(calls[0]?.json).not.toHaveProperty("temperature");
    expect(answer).toMatchObject({
      mode: "chatgpt",
      lane: "classic",
      model: "gpt-5.5",
      maxOutputTokens: 9,
      dropped: [
        { name: "seed", honoured: false },
        { name: "temperature", honoured: false },
        { name: "max_tokens", honoured: true },
      ],
    });
  });

  test("only safe headers reach the client", async () => {
    const response = new Response("", {
      headers: {
        "content-type": "text/event-stream",
        "set-cookie": "a=b",
        server: "cloudflare",
        "x-codex-turn-state": "ts",
        "openai-model": "gpt-5.5",
        "x-codex-primary-used-percent": "12",
      },
    });
    const { upstream, quota } = run([response]);
    const answer = await upstream.send(canonical({}), sendOptions());
    expect(answer.headers).toEqual({
      "x-codex-turn-state": "ts",
      "openai-model": "gpt-5.5",
      "x-codex-primary-used-percent": "12",
    });
    expect(quota.snapshot()?.primary?.usedPercent).toBe(12);
  });

  test("a 401 recovers the login and repeats the same bytes once", async () => {
    const next: Credentials = { ...NO_ROUTE, accessToken: "access-2" };
    const { upstream, calls, session } = run([failing(401, { detail: "Unauthorized" }), sse()], { next: [next] });
    await upstream.send(canonical({}), sendOptions({}, 1));
    expect(calls.map((call) => call.request.headers.authorization)).toEqual(["Bearer access-1", "Bearer access-2"]);
    expect(calls[1]?.request.body).toBe(calls[0]?.request.body);
    expect(session.recovered).toBe(1);
  });

  test("a second 401 is the answer, and the same key is never sent twice", async () => {
    const next: Credentials = { ...NO_ROUTE, accessToken: "access-2" };
    const dead = run([failing(401, { error: { code: "token_revoked", message: "revoked" } })], { next: [next] });
    await expect(dead.upstream.send(canonical({}), sendOptions())).rejects.toMatchObject({
      kind: "login_expired",
      status: 401,
    });
    expect(dead.calls).toHaveLength(2);
    const key = run(
      [failing(401, { error: { message: "Incorrect API key provided: sk-abcdefgh", code: "invalid_api_key" } })],
      {
        credentials: API_KEY,
      },
    );
    await expect(key.upstream.send(canonical({}), sendOptions())).rejects.toMatchObject({ kind: "login_expired" });
    expect(key.calls).toHaveLength(1);
  });

  test.each([
    ["a connect error", () => new Error("ECONNREFUSED") as Error | Response],
    ["502", () => failing(502, "")],
    ["503", () => failing(503, { error: { message: "x" } })],
    ["504", () => failing(504, "<html>gateway</html>", { "content-type": "text/html" })],
    ["overload", overloaded],
    ["529", () => failing(529, {})],
    [
      "a short rate limit",
      () =>
        failing(429, { error: { code: "rate_limit_exceeded", message: "try again in 1.5s" } }, { "retry-after": "1" }),
    ],
  ])("%s is repeated with a pause", async (_, fault) => {
    const { upstream, calls, clock, metrics } = run([fault(), fault(), sse()]);
    await upstream.send(canonical({}), sendOptions());
    expect(calls).toHaveLength(3);
    expect(clock.sleeps).toHaveLength(2);
    expect(clock.sleeps.every((ms) => ms >= 100 && ms <= 10_000)).toBe(true);
    expect(metrics.retried).toHaveLength(2);
  });

  test.each([
    [
      "usage limit",
      () => failing(429, { error: { type: "usage_limit_reached", message: "m", resets_in_seconds: 7200 } }),
      "usage_limit",
    ],
    ["not in the plan", () => failing(429, { error: { type: "usage_not_included", message: "m" } }), "quota"],
    ["500", () => failing(500, { error: { message: "boom" } }), "upstream_status"],
    ["400", () => failing(400, { error: { message: "bad", param: "input" } }), "invalid_request"],
    ["the edge's page", () => failing(403, "<html>", { "content-type": "text/html", "cf-ray": "ray-1" }), "forbidden"],
    ["a long retry-after", () => failing(503, {}, { "retry-after": "120" }), "upstream_status"],
  ])("%s is not repeated", async (_, fault, kind) => {
    const { upstream, calls, metrics } = run([fault()]);
    await expect(upstream.send(canonical({}), sendOptions())).rejects.toMatchObject({ kind });
    expect(calls).toHaveLength(1);
    expect(metrics.failed).toEqual([kind]);
  });

  test("attempts are bounded and shared", async () => {
    const { upstream, calls } = run([overloaded()]);
    const options = sendOptions({}, 2);
    await expect(upstream.send(canonical({}), options)).rejects.toMatchObject({ kind: "overloaded", status: 503 });
    expect(calls).toHaveLength(2);
    expect(options.attempts.left).toBe(0);
  });

  test("a client that leaves stops the repeats", async () => {
    const options = sendOptions();
    const leave = (): Response => {
      options.abort.abort(new ProxyError("cancelled", "the client closed the connection"));
      return overloaded();
    };
    const { upstream, calls } = run([leave]);
    await expect(upstream.send(canonical({}), options)).rejects.toMatchObject({ kind: "cancelled" });
    expect(calls).toHaveLength(1);
  });

  test("fields that upstream names are left out one after another, and told", async () => {
    const { upstream, calls } = run([unsupported("service_tier"), unsupported("reasoning.summary"), sse()]);
    const answer = await upstream.send(
      canonical({ service_tier: "priority", reasoning: { effort: "low", summary: "auto" } }),
      sendOptions({}, 1),
    );
    expect(calls[2]?.json).not.toHaveProperty("service_tier");
    expect(calls[2]?.json.reasoning).toEqual({ effort: "low" });
    expect(answer.dropped.map((field) => field.name)).toEqual(["service_tier", "reasoning.summary"]);
  });

  test("a refused field is remembered for an hour, by model and lane, and still told", async () => {
    const { upstream, calls, clock } = run([unsupported("text.verbosity"), sse(), sse(), sse(), sse(), sse()]);
    const send = (model: string) => upstream.send(canonical({ model, text: { verbosity: "low" } }), sendOptions({}, 1));
    await send("gpt-5.5");
    expect((await send("gpt-5.5")).dropped).toEqual([{ name: "text.verbosity", honoured: false }]);
    expect((await upstream.send(canonical({ model: "gpt-5.5" }), sendOptions({}, 1))).dropped).toEqual([]);
    expect((await send("gpt-6-luna")).dropped).toEqual([]);
    clock.time += 61 * 60_000;
    expect((await send("gpt-5.5")).dropped).toEqual([]);
    expect(calls.map((call) => call.json.text)).toEqual([
      { verbosity: "low" },
      {},
      {},
      undefined,
      { verbosity: "low" },
      { verbosity: "low" },
    ]);
  });

  test("a refused value says nothing of other values", async () => {
    const refusal = failing(400, {
      error: {
        message: "Unsupported value: 'x' is not supported.",
        code: "unsupported_value",
        param: "reasoning.effort",
      },
    });
    const { upstream, calls } = run([refusal, sse(), sse()]);
    await upstream.send(canonical({ reasoning: { effort: "high" } }), sendOptions({}, 1));
    await upstream.send(canonical({ reasoning: { effort: "low" } }), sendOptions({}, 1));
    expect(calls.at(-1)?.json.reasoning).toMatchObject({ effort: "low" });
  });

  test("a field whose removal does not help ends the request", async () => {
    const { upstream, calls } = run([unsupported("client_metadata")]);
    await expect(upstream.send(canonical({}), sendOptions())).rejects.toMatchObject({
      kind: "invalid_request",
      status: 400,
    });
    expect(calls).toHaveLength(2);
  });

  test("refused encrypted content goes, once", async () => {
    const refusal = failing(400, { error: { code: "invalid_encrypted_content", message: "could not be verified" } });
    const { upstream, calls } = run([refusal]);
    const input = [user("a"), { type: "reasoning" as const, summary: [], encrypted_content: "x" }, user("b")];
    await expect(upstream.send(canonical({ input }), sendOptions())).rejects.toMatchObject({
      code: "invalid_encrypted_content",
    });
    expect(calls.map((call) => (call.json.input as unknown[]).length)).toEqual([3, 2]);
  });

  test("a lane refusal is answered in the other lane and remembered; both refusing gives the first", async () => {
    const missing = failing(404, { error: { message: "Model not found gpt-6-sol-free" } });
    const byLane = (call: Call) => (call.request.headers["x-openai-internal-codex-responses-lite"] ? missing : sse());
    const { upstream, calls } = run([byLane]);
    expect((await upstream.send(canonical({ model: "gpt-6-sol" }), sendOptions({}, 1))).lane).toBe("classic");
    expect((await upstream.send(canonical({ model: "gpt-6-sol" }), sendOptions({}, 1))).lane).toBe("classic");
    expect(calls).toHaveLength(3);
    const both = run([missing]);
    await expect(both.upstream.send(canonical({ model: "gpt-6-sol" }), sendOptions())).rejects.toMatchObject({
      kind: "model_not_found",
      message: expect.stringContaining("gpt-5.5"),
    });
    expect(both.calls).toHaveLength(2);
  });

  test("a web page in a 200 is no answer", async () => {
    const { upstream } = run([new Response("<html>", { headers: { "content-type": "text/html" } })]);
    await expect(upstream.send(canonical({}), sendOptions())).rejects.toMatchObject({ kind: "upstream_protocol" });
  });

  test("strict mode refuses before anything is sent", async () => {
    const { upstream, calls } = run([sse()], { config: { strict: true } });
    const loses = canonical({ temperature: 1 }, { clientNames: {} });
    await expect(upstream.send(loses, sendOptions())).rejects.toMatchObject({
      kind: "invalid_request",
      param: "temperature",
    });
    expect(calls).toHaveLength(0);
    await upstream.send(canonical({ max_output_tokens: 5 }), sendOptions());
    expect(calls).toHaveLength(1);
  });

  test("a Codex body and its headers pass unchanged, credentials are ours", async () => {
    const { upstream, calls } = run([sse()]);
    const captured = readFixtureJson("requests/responses-lite-gpt-6.1-sol.json") as {
      headers: Record<string, string>;
      body: Parameters<typeof canonical>[0];
    };
    const answer = await upstream.send(canonical(captured.body, { native: true }), sendOptions(captured.headers));
    expect(answer.lane).toBe("lite");
    expect(calls[0]?.json).toEqual(captured.body);
    const { headers } = calls[0]?.request ?? { headers: {} };
    expect(headers).toMatchObject({
      "x-openai-internal-codex-responses-lite": "true",
      "x-codex-turn-metadata": captured.headers["x-codex-turn-metadata"],
      authorization: "Bearer access-1",
      originator: "codex_cli_rs",
    });
    expect(headers).not.toHaveProperty("content-encoding");
  });

  test("equal beginnings of a conversation are equal bytes", async () => {
    const { upstream, calls } = run([sse()]);
    const first = [user("a")];
    const later = [...first, { type: "message" as const, role: "assistant" as const, content: "b" }, user("c")];
    for (const input of [first, later]) await upstream.send(canonical({ model: "gpt-6-luna", input }), sendOptions());
    const [one, two] = calls.map((call) => call.request.body as string) as [string, string];
    const start = one.indexOf('],"parallel_tool_calls"');
    expect(start).toBeGreaterThan(0);
    expect(two.slice(0, start)).toBe(one.slice(0, start));
    expect(calls[0]?.json.prompt_cache_key).toBe(calls[1]?.json.prompt_cache_key);
  });
});

describe("routing", () => {
  const routed = (override: string, origin: string) => (call: Call) =>
    call.url.includes("accounts/check")
      ? failing(200, {
          accounts: [{ id: CHATGPT.accountId, account_routing_override: override, workspace_backend_origin: origin }],
        })
      : sse();

  test.each([
    ["NO_CONSTRAINT", "https://chatgpt.com", "https://chatgpt.com/backend-api/codex/responses", undefined],
    ["us", "https://us.chatgpt.com", "https://us.chatgpt.com/backend-api/codex/responses", "us"],
    ["us_cr", "http://plain.example", "https://chatgpt.com/backend-api/codex/responses", "us_cr"],
    ["us", "https://user:pw@x.example", "https://chatgpt.com/backend-api/codex/responses", "us"],
    ["us", "https://x.example/path", "https://chatgpt.com/backend-api/codex/responses", "us"],
  ])("%s at %s", async (override, origin, url, header) => {
    const { upstream, calls } = run([routed(override, origin)], { credentials: CHATGPT, live: true });
    await upstream.send(canonical({}), sendOptions());
    const posts = calls.filter((call) => call.request.method === "POST");
    expect(posts[0]?.url).toBe(url);
    expect(posts[0]?.request.headers["x-openai-account-routing-override"]).toBe(header);
    await upstream.send(canonical({}), sendOptions());
    expect(calls.filter((call) => call.url.includes("accounts/check"))).toHaveLength(1);
  });

  test("a failing lookup is no constraint", async () => {
    const { upstream } = run([(call) => (call.url.includes("accounts/check") ? failing(500, {}) : sse())], {
      credentials: CHATGPT,
    });
    expect((await upstream.send(canonical({}), sendOptions())).mode).toBe("chatgpt");
  });
});

describe("forward", () => {
  const request = {
    method: "POST",
    path: "/embeddings?x=1",
    headers: new Headers({
      authorization: "Bearer client",
      cookie: "c=1",
      "content-type": "application/json",
      "openai-beta": "b",
    }),
    body: '{"a": 1}',
    signal: new AbortController().signal,
  };

  test("hands bytes on with our key, and the answer back without cookies", async () => {
    const answer = failing(418, '{"raw":  "bytes"}', {
      "set-cookie": "a=b",
      "x-ratelimit-limit-requests": "5",
      "x-request-id": "r",
    });
    const { upstream, calls } = run([answer], { credentials: API_KEY });
    const response = toResponse(await upstream.forward(request));
    expect(calls[0]?.url).toBe("https://api.openai.com/v1/embeddings?x=1");
    expect(calls[0]?.request).toMatchObject({ method: "POST", body: '{"a": 1}' });
    expect(calls[0]?.request.headers).toEqual({
      authorization: "Bearer key-1",
      "user-agent": expect.any(String),
      "content-type": "application/json",
      "openai-beta": "b",
    });
    expect(response.status).toBe(418);
    expect(await response.text()).toBe('{"raw":  "bytes"}');
    expect([...response.headers.keys()].sort()).toEqual(["content-type", "x-ratelimit-limit-requests"]);
  });

  test("an error that quotes our key comes back without it", async () => {
    const { upstream } = run([failing(401, '{"error":{"message":"no key-1"}}')], { credentials: API_KEY });
    const response = toResponse(await upstream.forward(request));
    expect([response.status, await response.text()]).toEqual([401, '{"error":{"message":"no <redacted>"}}']);
  });

  test.each([
    [500, "boom", "text/plain"],
    [503, "", "application/json"],
    [500, "[1]", "application/json"],
    [502, "<html>secret-page", "text/html"],
    [200, "<html>secret-page", "text/html"],
  ])("an answer %i %j of %s is an error that a program can read", async (status, body, type) => {
    const answer = new Response(body, { status, headers: { "content-type": type } });
    const { upstream } = run([answer], { credentials: API_KEY });
    const failure = await upstream.forward(request).catch((cause: unknown) => cause);
    expect(failure).toMatchObject({ name: "ProxyError", message: expect.not.stringContaining("secret-page") });
    expect((failure as { status: number }).status).toBeGreaterThanOrEqual(500);
  });

  test("a page that the client fetches as a file is handed on", async () => {
    const page = new Response("<html>mine", { headers: { "content-type": "text/html" } });
    const { upstream } = run([page], { credentials: API_KEY });
    const response = toResponse(await upstream.forward({ ...request, method: "GET", body: null }));
    expect(await response.text()).toBe("<html>mine");
  });

  test("is refused with a ChatGPT login", async () => {
    const { upstream } = run([sse()]);
    await expect(upstream.forward(request)).rejects.toMatchObject({ kind: "unsupported", status: 501 });
  });

  test("a broken connection is unreachable, a redirect is not followed", async () => {
    const broken = run([Object.assign(new Error("x"), { code: "ECONNRESET" })], { credentials: API_KEY });
    await expect(broken.upstream.forward(request)).rejects.toMatchObject({
      kind: "upstream_unreachable",
      message: expect.stringContaining("ECONNRESET"),
    });
    const moved = run([new Response(null, { status: 302, headers: { location: "https://evil.example" } })], {
      credentials: API_KEY,
    });
    await expect(moved.upstream.forward(request)).rejects.toMatchObject({ kind: "upstream_status" });
  });
});
