import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runtimes } from "../support/runtimes.ts";
import type { RunningServer } from "../support/server.ts";
import {
  type AuthFileOverrides,
  type Behaviour,
  DEFAULT_ACCOUNT,
  DEFAULT_API_KEY,
  DEFAULT_PAT,
  mintToken,
  startUpstream,
  type Upstream,
  writeAuthFile,
} from "../upstream/index.ts";
import {
  APIS,
  ask,
  askMany,
  bearers,
  type Json,
  kill,
  modeOf,
  post,
  presented,
  readAuth,
  refreshes,
  serve,
} from "./login-support.ts";

const TOKEN = "/oauth/token";
const refusal = (code: string) => ({ error: { message: "No.", type: "invalid_request_error", param: null, code } });

/** What the token endpoint does, what clients are told, and whether the login is dead then. */
const FAILURES: readonly [name: string, behaviour: Behaviour, message: RegExp, dead: boolean][] = [
  [
    "refresh_token_expired",
    { status: 401, body: refusal("refresh_token_expired") },
    /login has expired.*sign in/,
    true,
  ],
  ["refresh_token_invalidated", { status: 401, body: refusal("refresh_token_invalidated") }, /revoked.*sign in/, true],
  ["refresh_token_reused", { status: 401, body: refusal("refresh_token_reused") }, /already used.*sign in/, true],
  ["another 401", { status: 401, body: refusal("app_session_terminated") }, /ended the session.*sign in/, true],
  ["invalid_grant", { status: 400, body: { error: "invalid_grant" } }, /not known to OpenAI.*sign in/, true],
  ["500", { status: 500, body: "Oops" }, /failing \(500\)/, false],
  ["503 page", { status: 503, headers: { "content-type": "text/html" }, body: "<html>" }, /failing \(503\)/, false],
  ["an edge's block", { status: 403, headers: { "cf-mitigated": "challenge" }, body: "<html>" }, /edge blocked/, false],
  ["403", { status: 403, body: refusal("forbidden_region") }, /refused the call \(403, forbidden_region\)/, false],
  ["429", { status: 429, headers: { "retry-after": "7" }, body: "" }, /limits the rate/, false],
  [
    "another 400",
    { status: 400, body: { error: "invalid_client" } },
    /refused the call \(400, invalid_client\)/,
    false,
  ],
  ["a redirect", { status: 302, headers: { location: "http://127.0.0.1:1/" } }, /redirect \(302\)/, false],
  ["no protocol", { status: 200, body: "<html>Sign in to the hotel</html>" }, /not its protocol/, false],
  ["no token", { status: 200, body: {} }, /holds no token/, false],
  ["a broken connection", { cut: "before-headers" }, /cannot be reached/, false],
];

describe.each(runtimes)("the login of a server on $name", (runtime) => {
  let upstream: Upstream;
  let server: RunningServer;
  let home: string;
  const signIn = (overrides: AuthFileOverrides = {}) => writeAuthFile(home, "chatgpt", overrides);

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "codex-api-proxy-login-"));
    upstream = await startUpstream();
    signIn();
    server = await serve(runtime, upstream, home);
  });
  beforeEach(() => {
    upstream.reset();
    rmSync(join(home, "auth.json"), { recursive: true, force: true });
    rmSync(join(home, "config.toml"), { force: true });
  });
  afterAll(async () => {
    await server?.stop();
    await upstream?.close();
    rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });

  it("is renewed once for 50 requests at a time, and written back as it was found", async () => {
    const { refreshToken, content } = signIn({
      expiresIn: -60,
      fields: { future_field: { kept: [1, "ü"] }, last_refresh: "2026-01-01T00:00:00.000000000Z", zz: null },
      tokens: { login_owner_id: "kept" },
    });
    const answers = await askMany(server, 50);
    expect(answers.map(({ status, text }) => [status, text.includes("request")])).toEqual(Array(50).fill([200, true]));
    expect(presented(upstream)).toEqual([refreshToken]);
    expect(refreshes(upstream)[0]?.json).toMatchObject({ refresh_reason: "proactive_expiry" });
    expect(new Set(bearers(upstream))).toEqual(new Set(upstream.tokens.issuedAccess));
    const after = readAuth(home);
    const [access_token] = upstream.tokens.issuedAccess;
    const [refresh_token] = upstream.tokens.issuedRefresh;
    expect(after).toMatchObject({
      future_field: { kept: [1, "ü"] },
      zz: null,
      tokens: { access_token, refresh_token, login_owner_id: "kept", account_id: DEFAULT_ACCOUNT },
    });
    expect(Object.keys(after)).toEqual(Object.keys(content));
    expect(Date.now() - Date.parse(after.last_refresh)).toBeLessThan(20_000);
    expect(readFileSync(join(home, "auth.json"), "utf8")).toBe(`${JSON.stringify(after, null, 2)}\n`);
    expect(modeOf(home)).toEqual({ mode: 0o600, isLink: false });
  });

  it("is renewed five minutes before it expires, and not earlier", async () => {
    const early = signIn({ expiresIn: 600, fields: { last_refresh: "2020-01-01T00:00:00Z" } });
    expect((await ask(server)).status).toBe(200);
    expect([refreshes(upstream), bearers(upstream)]).toEqual([[], [early.bearer]]);
    signIn({ expiresIn: 240 });
    expect((await ask(server)).status).toBe(200);
    expect([refreshes(upstream).length, bearers(upstream).at(-1)]).toEqual([1, upstream.tokens.issuedAccess[0]]);
  });

  it("is renewed after eight days where its expiry cannot be read", async () => {
    const opaque = { claims: { exp: undefined } };
    signIn({ ...opaque, fields: { last_refresh: new Date(Date.now() - 2 * 86_400_000).toISOString() } });
    await ask(server);
    expect(refreshes(upstream)).toEqual([]);
    signIn({ ...opaque, fields: { last_refresh: new Date(Date.now() - 9 * 86_400_000).toISOString() } });
    await ask(server);
    expect(refreshes(upstream)).toHaveLength(1);
  });

  it("is renewed once when upstream refuses it to 50 requests at a time", async () => {
    const { bearer } = signIn();
    upstream.tokens.revoked.add(bearer);
    const answers = await askMany(server, 50);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(refreshes(upstream).map(({ json }) => (json as Json).refresh_reason)).toEqual(["unauthorized_recovery"]);
  });

  it("is taken from the file when another process has renewed it: no refresh", async () => {
    const before = signIn();
    upstream.tokens.revoked.add(before.bearer);
    upstream.script("/codex/responses", { stallMs: 300 });
    const asked = ask(server);
    await upstream.waitFor(({ path }) => path.endsWith("/codex/responses"));
    const after = signIn();
    expect((await asked).status).toBe(200);
    expect([refreshes(upstream), bearers(upstream)]).toEqual([[], [before.bearer, after.bearer]]);
  });

  it("is not swapped for another account's within a request; the next one uses the new account", async () => {
    const other = "00000000-0000-4000-8000-000000000002";
    const { bearer } = signIn();
    upstream.tokens.revoked.add(bearer);
    upstream.script("/codex/responses", { stallMs: 300 });
    const asked = ask(server);
    await upstream.waitFor(({ path }) => path.endsWith("/codex/responses"));
    signIn({ account: other });
    expect(await asked).toMatchObject({
      status: 401,
      json: { error: { message: expect.stringMatching(/another account/) } },
    });
    expect((await ask(server)).status).toBe(200);
    expect(upstream.requestsTo("/codex/responses").at(-1)?.headers["chatgpt-account-id"]).toBe(other);
    expect(refreshes(upstream)).toEqual([]);
  });

  it("stays with a symlink and gets mode 0600", async () => {
    signIn({ expiresIn: -1 });
    const real = join(home, "elsewhere.json");
    renameSync(join(home, "auth.json"), real);
    symlinkSync(real, join(home, "auth.json"));
    expect((await ask(server)).status).toBe(200);
    expect(modeOf(home)).toEqual({ mode: 0o600, isLink: true });
    expect(JSON.parse(readFileSync(real, "utf8")).tokens.refresh_token).toBe(upstream.tokens.issuedRefresh[0]);
  });

  it("keeps its refresh token when the answer brings none", async () => {
    const { refreshToken } = signIn({ expiresIn: -1 });
    upstream.tokens.omitOnRefresh.add("refresh_token").add("id_token");
    expect((await ask(server)).status).toBe(200);
    expect(readAuth(home).tokens).toMatchObject({
      refresh_token: refreshToken,
      access_token: upstream.tokens.issuedAccess[0],
    });
  });

  describe.each(FAILURES)("when the token endpoint answers with %s", (_name, behaviour, message, dead) => {
    it("says so to 50 requests with an expired token, in fewer than five calls, until the file changes", async () => {
      // What the last case still had to log is not this one's.
      let length = -1;
      const isQuiet = (): boolean => {
        const before = length;
        length = server.log().length;
        return length === before;
      };
      await expect.poll(isQuiet, { interval: 200, timeout: 10_000 }).toBe(true);
      const logStart = server.log().length;
      signIn({ expiresIn: -60 });
      upstream.script(TOKEN, { ...behaviour, times: 99 });
      const answers = await askMany(server, 50);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([dead ? 401 : 503]));
      for (const { json } of answers) expect(json.error.message).toMatch(message);
      expect(refreshes(upstream).length).toBeLessThan(5);
      const calls = refreshes(upstream).length;
      const again = await Promise.all(APIS.map((api) => post(server, api, api.body("again"))));
      APIS.forEach((api, at) => {
        expect(again[at]?.json).toEqual(dead ? api.expired : api.unusable);
        expect(again[at]?.headers.get("x-should-retry")).toBe(dead ? "false" : null);
        expect(Number(again[at]?.headers.get("retry-after") ?? 0) > 0).toBe(!dead);
      });
      expect(refreshes(upstream)).toHaveLength(calls);
      const logged = () =>
        server
          .log()
          .slice(logStart)
          .match(/"event":"token_refresh_failed"|token_refresh_failed \{/g)?.length;
      await expect.poll(logged, { timeout: 10_000 }).toBe(calls);
      signIn();
      expect((await ask(server)).status).toBe(200);
    });

    it("goes on with a token that is still valid", async () => {
      const { bearer } = signIn({ expiresIn: 120 });
      upstream.script(TOKEN, { ...behaviour, times: 99 });
      const answers = await askMany(server, 50);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(new Set(bearers(upstream))).toEqual(new Set([bearer]));
      expect(refreshes(upstream).length).toBeLessThan(5);
    });
  });

  it("has a message of its own for each of these failures", () => {
    const patterns = FAILURES.map(([, , message]) => message);
    const told = new Set(server.log().match(/"message":"(?:[^"\\]|\\.)*"/g));
    const matching = patterns.map((pattern) =>
      [...told]
        .filter((text) => pattern.test(text))
        .sort()
        .join(),
    );
    expect(matching.filter((texts) => texts === "")).toEqual([]);
    expect(new Set(matching).size).toBe(patterns.length);
  });

  it("is not renewed where the result could not be written", async () => {
    const trap = join(home, "auth.json.codex-api-proxy.tmp");
    mkdirSync(trap);
    try {
      signIn({ expiresIn: -60 });
      expect(await ask(server)).toMatchObject({
        status: 503,
        json: { error: { message: expect.stringMatching(/CODEX_HOME cannot be written.*make it writable/) } },
      });
      signIn({ expiresIn: 60 });
      expect((await ask(server)).status).toBe(200);
      expect(refreshes(upstream)).toEqual([]);
    } finally {
      rmSync(trap, { recursive: true });
    }
  });

  it.each<[what: string, write: (path: string) => void, message: RegExp]>([
    ["missing", () => {}, /no auth\.json in CODEX_HOME: sign in with `codex login` or `codex-api-proxy login`/],
    ["a folder", (path) => mkdirSync(path), /auth\.json is not a regular file/],
    // Nobody writes into it: to open it would wait for ever.
    ["a pipe", (path) => execFileSync("mkfifo", [path]), /auth\.json is not a regular file/],
    ["a device", (path) => symlinkSync("/dev/zero", path), /auth\.json is not a regular file/],
    ["not JSON", (path) => writeFileSync(path, '{"tokens": {"access_token": "eyJsecret'), /not valid JSON/],
    ["empty", (path) => writeFileSync(path, ""), /not valid JSON/],
    ["no object", (path) => writeFileSync(path, "[]"), /not a JSON object/],
    ["no login", (path) => writeFileSync(path, '{"auth_mode":"agentIdentity"}'), /no login.*agentIdentity/],
  ])("that is %s is told with 503 in each API's envelope", async (_what, write, message) => {
    write(join(home, "auth.json"));
    for (const api of APIS) {
      const answer = await post(server, api, api.body("x"));
      expect([answer.status, answer.json]).toEqual([503, api.unusable]);
      expect(answer.json.error.message).toMatch(message);
      expect(answer.text).not.toContain(home);
      expect(answer.text).not.toContain("eyJ");
    }
    rmSync(join(home, "auth.json"), { recursive: true, force: true });
    signIn();
    expect((await ask(server)).status).toBe(200);
  });

  it.each([
    ["keyring", /OS keyring \(cli_auth_credentials_store = "keyring"\).*"file"/],
    ["auto", /may keep its login in the OS keyring/],
    ["ephemeral", /in memory only/],
  ])("that Codex keeps elsewhere (%s) is explained with its cure", async (store, message) => {
    writeFileSync(join(home, "config.toml"), `model = "gpt-5.5"\ncli_auth_credentials_store = "${store}"\n`);
    expect(await ask(server)).toMatchObject({
      status: 503,
      json: { error: { message: expect.stringMatching(message) } },
    });
  });

  it("changes to an API key, to a personal access token and back without a restart", async () => {
    writeAuthFile(home, "apikey");
    expect((await ask(server)).status).toBe(200);
    expect(upstream.requestsTo("/v1/chat/completions")[0]?.headers.authorization).toBe(`Bearer ${DEFAULT_API_KEY}`);
    writeAuthFile(home, "pat");
    for (const n of [0, 1, 2]) expect((await ask(server, n)).status).toBe(200);
    expect(new Set(bearers(upstream))).toEqual(new Set([DEFAULT_PAT]));
    expect(upstream.requestsTo("/codex/responses")[0]?.headers["chatgpt-account-id"]).toBe(DEFAULT_ACCOUNT);
    expect(upstream.requestsTo(/whoami$/)).toHaveLength(1);
    const { bearer } = signIn();
    expect((await ask(server)).status).toBe(200);
    expect(bearers(upstream).at(-1)).toBe(bearer);
  });

  it("says that a refused API key or personal access token needs replacing, and does not ask again and again", async () => {
    upstream.tokens.apiKeys.clear();
    upstream.tokens.pats.clear();
    writeAuthFile(home, "apikey");
    expect(await ask(server)).toMatchObject({ status: 401 });
    writeAuthFile(home, "pat", { fields: { personal_access_token: "at-test-another-0000000000000000000001" } });
    for (const n of [0, 1, 2]) {
      const { status, json } = await ask(server, n);
      expect([status, json.error.message]).toEqual([401, expect.stringMatching(/personal access token was refused/)]);
    }
    expect(refreshes(upstream)).toEqual([]);
  });
});

describe.each(runtimes)("logins from the environment on $name", (runtime) => {
  let upstream: Upstream;
  let home: string;
  beforeAll(async () => {
    upstream = await startUpstream();
    home = mkdtempSync(join(tmpdir(), "codex-api-proxy-login-"));
  });
  beforeEach(() => {
    upstream.reset();
    rmSync(join(home, "auth.json"), { force: true });
  });
  afterAll(async () => {
    await upstream?.close();
    rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });

  const used = async (env: Record<string, string>): Promise<[number, string | undefined]> => {
    const server = await serve(runtime, upstream, home, env);
    try {
      const { status } = await ask(server);
      const request = upstream.requests.findLast(({ path }) => /\/(responses|completions)$/.test(path));
      return [status, request?.headers.authorization?.replace("Bearer ", "")];
    } finally {
      await server.stop();
    }
  };

  it("CODEX_API_KEY overrides auth.json", async () => {
    writeAuthFile(home, "chatgpt");
    expect(await used({ CODEX_API_KEY: DEFAULT_API_KEY, OPENAI_API_KEY: "sk-other" })).toEqual([200, DEFAULT_API_KEY]);
  });
  it("OPENAI_API_KEY serves where there is no auth.json, and only there", async () => {
    expect(await used({ OPENAI_API_KEY: DEFAULT_API_KEY })).toEqual([200, DEFAULT_API_KEY]);
    const { bearer } = writeAuthFile(home, "chatgpt");
    expect(await used({ OPENAI_API_KEY: DEFAULT_API_KEY })).toEqual([200, bearer]);
  });
  it("CODEX_ACCESS_TOKEN is a JWT or a personal access token, never refreshed", async () => {
    const token = mintToken({ expiresIn: 60 });
    expect(await used({ CODEX_ACCESS_TOKEN: token })).toEqual([200, token]);
    expect(await used({ CODEX_ACCESS_TOKEN: DEFAULT_PAT })).toEqual([200, DEFAULT_PAT]);
    expect((await used({ CODEX_ACCESS_TOKEN: mintToken({ expiresIn: -60 }) }))[0]).toBe(401);
    expect(refreshes(upstream)).toEqual([]);
  });
});

/** Mostly waiting: all runtimes at a time. */
describe.concurrent.each(runtimes)("a token endpoint that hangs, for a server on $name", (runtime) => {
  it("delays requests by seconds; an answer that comes after all is not lost", async ({ expect }) => {
    const upstream = await startUpstream();
    const home = mkdtempSync(join(tmpdir(), "codex-api-proxy-login-"));
    writeAuthFile(home, "chatgpt");
    const server = await serve(runtime, upstream, home);
    try {
      const { bearer } = writeAuthFile(home, "chatgpt", { expiresIn: 60 });
      upstream.script(TOKEN, { stallMs: 3_000 });
      const valid = await askMany(server, 6);
      expect(new Set(valid.map(({ status }) => status))).toEqual(new Set([200]));
      expect(new Set(bearers(upstream))).toEqual(new Set([bearer]));
      expect(Math.max(...valid.map(({ ms }) => ms))).toBeLessThan(4_000);
      await expect.poll(() => readAuth(home).tokens.access_token, { timeout: 5_000 }).not.toBe(bearer);

      writeAuthFile(home, "chatgpt", { expiresIn: -60 });
      upstream.script(TOKEN, { stallMs: 12_500 });
      const expired = await askMany(server, 6);
      // Streams begin after ten seconds at the latest, so that theirs may tell it as an event.
      expect(expired.slice(0, 3).map(({ status }) => status)).toEqual([503, 503, 503]);
      for (const { text } of expired) expect(text).toMatch(/being renewed.*try again/);
      expect(Math.max(...expired.map(({ ms }) => ms))).toBeLessThan(12_000);
      await expect.poll(() => upstream.tokens.refreshed, { timeout: 10_000 }).toBe(2);
      await expect.poll(async () => (await ask(server)).status, { timeout: 5_000 }).toBe(200);
      expect(presented(upstream)).toHaveLength(2);
    } finally {
      await kill(server);
      await upstream.close();
      rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    }
  });
});
