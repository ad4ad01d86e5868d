import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  CLIENT_ID,
  DEFAULT_ACCOUNT,
  DEFAULT_API_KEY,
  DEFAULT_PAT,
  mintRefreshToken,
  startUpstream,
  type Upstream,
  writeAuthFile,
} from "./index.ts";
import type { JsonObject } from "./json.ts";
import { readJwt } from "./tokens.ts";

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => upstream.reset());
afterAll(() => upstream.close());

type Answer = { status: number; body: JsonObject };

async function post(path: string, body: string | URLSearchParams, type?: string): Promise<Answer> {
  const headers = type === undefined ? {} : { headers: { "content-type": type } };
  const response = await fetch(`${upstream.authIssuer}${path}`, { method: "POST", body, ...headers });
  return { status: response.status, body: (await response.json()) as JsonObject };
}

const postJson = (path: string, body: JsonObject) => post(path, JSON.stringify(body), "application/json");
const postForm = (fields: Record<string, string>) => post("/oauth/token", new URLSearchParams(fields));
const refresh = (refresh_token: string, extra: JsonObject = {}) =>
  postJson("/oauth/token", {
    client_id: CLIENT_ID,
    grant_type: "refresh_token",
    refresh_token,
    refresh_reason: "proactive_expiry",
    ...extra,
  });

describe("refresh", () => {
  test("rotates the token: the old one is spent, the new one good", async () => {
    const old = mintRefreshToken();
    const first = await refresh(old);
    expect(first.status).toBe(200);
    expect(readJwt(String(first.body.access_token))).toMatchObject({ client_id: CLIENT_ID });
    const again = await refresh(old);
    expect(again).toMatchObject({ status: 401, body: { error: { code: "refresh_token_reused" } } });
    expect((await refresh(String(first.body.refresh_token), { refresh_reason: "unauthorized_recovery" })).status).toBe(
      200,
    );
    expect(upstream.tokens).toMatchObject({ refreshed: 2, reused: 1 });
  });

  test("keeps the account and plan", async () => {
    const { body } = await refresh(mintRefreshToken("acc", "team"));
    expect(JSON.stringify(readJwt(String(body.id_token)))).toContain(
      '"chatgpt_account_id":"acc","chatgpt_plan_type":"team"',
    );
  });

  test.each<[string, JsonObject, number]>([
    ["no reason", { refresh_reason: undefined }, 400],
    ["an unknown reason", { refresh_reason: "because" }, 400],
    ["another client", { client_id: "app_other" }, 400],
    ["an unknown token", { refresh_token: "rt_old" }, 400],
    ["an unknown grant", { grant_type: "password" }, 400],
  ])("with %s is refused", async (_name, extra, status) => {
    expect((await refresh(mintRefreshToken(), extra)).status).toBe(status);
    expect(upstream.tokens.refreshed).toBe(0);
  });

  test("as a form is refused", async () => {
    const fields = {
      client_id: CLIENT_ID,
      grant_type: "refresh_token",
      refresh_token: mintRefreshToken(),
      refresh_reason: "proactive_expiry",
    };
    expect((await postForm(fields)).status).toBe(400);
  });

  test("may fail for good, and may leave fields out", async () => {
    const token = mintRefreshToken();
    upstream.tokens.expiredRefresh.add(token);
    expect((await refresh(token)).body).toMatchObject({ error: { code: "refresh_token_expired" } });
    upstream.tokens.omitOnRefresh.add("refresh_token");
    expect(Object.keys((await refresh(mintRefreshToken())).body)).toEqual(["access_token", "id_token"]);
  });

  test("may be slow or break, by script", async () => {
    upstream.script("/oauth/token", { stallMs: 30 });
    const started = performance.now();
    expect((await refresh(mintRefreshToken())).status).toBe(200);
    expect(performance.now() - started).toBeGreaterThan(25);
    upstream.script("/oauth/token", { cut: "before-headers" });
    await expect(refresh(mintRefreshToken())).rejects.toThrow();
    expect(upstream.tokens.refreshed).toBe(1);
  });

  test("after a revocation is refused", async () => {
    const token = mintRefreshToken();
    expect(
      (await postJson("/oauth/revoke", { token, token_type_hint: "refresh_token", client_id: CLIENT_ID })).status,
    ).toBe(200);
    expect((await refresh(token)).body).toMatchObject({ error: { code: "refresh_token_invalidated" } });
    expect((await postJson("/oauth/revoke", { token })).status).toBe(400);
  });
});

const verifier = randomBytes(64).toString("base64url");
const authorizeQuery: Record<string, string> = {
  response_type: "code",
  client_id: CLIENT_ID,
  redirect_uri: "http://127.0.0.1:1455/auth/callback",
  scope: "openid profile email offline_access",
  code_challenge: createHash("sha256").update(verifier).digest("base64url"),
  code_challenge_method: "S256",
  state: "0123456789abcdef",
};
const authorize = (extra: Record<string, string> = {}) =>
  fetch(`${upstream.authIssuer}/oauth/authorize?${new URLSearchParams({ ...authorizeQuery, ...extra })}`, {
    redirect: "manual",
  });

describe("browser login", () => {
  test("leads back with code and state; the code is exchanged once, with its verifier", async () => {
    const location = new URL((await authorize()).headers.get("location") ?? "");
    expect(location.origin + location.pathname).toBe("http://127.0.0.1:1455/auth/callback");
    expect(location.searchParams.get("state")).toBe("0123456789abcdef");
    const fields = {
      grant_type: "authorization_code",
      client_id: CLIENT_ID,
      code: location.searchParams.get("code") ?? "",
    };
    const whole = { ...fields, redirect_uri: authorizeQuery.redirect_uri ?? "", code_verifier: verifier };
    expect((await postForm({ ...whole, code_verifier: "wrong" })).body).toMatchObject({ error: "invalid_grant" });
    expect((await postForm({ ...whole, redirect_uri: "http://127.0.0.1:1457/auth/callback" })).status).toBe(400);
    const { status, body } = await postForm(whole);
    expect(status).toBe(200);
    expect((await postForm(whole)).status).toBe(400);
    const exchange = {
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      client_id: CLIENT_ID,
      requested_token: "openai-api-key",
      subject_token: String(body.id_token),
      subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
    };
    expect((await postForm(exchange)).body).toEqual({ access_token: DEFAULT_API_KEY });
    expect((await postForm({ ...exchange, subject_token: "x" })).status).toBe(400);
  });

  test.each(Object.keys(authorizeQuery))("with a bad %s is refused", async (name) => {
    expect((await authorize({ [name]: "bad" })).status).toBe(400);
  });
});

test("device login is pending first, then gives a code with its verifier", async () => {
  const { body: device } = await postJson("/api/accounts/deviceauth/usercode", { client_id: CLIENT_ID });
  expect(device).toMatchObject({ device_auth_id: expect.any(String), user_code: expect.any(String), interval: "1" });
  const poll = () =>
    postJson("/api/accounts/deviceauth/token", { device_auth_id: device.device_auth_id, user_code: device.user_code });
  expect((await poll()).status).toBe(403);
  const { body: grant } = await poll();
  const fields = {
    grant_type: "authorization_code",
    client_id: CLIENT_ID,
    code: String(grant.authorization_code),
    redirect_uri: "https://auth.openai.com/deviceauth/callback",
    code_verifier: String(grant.code_verifier),
  };
  expect((await postForm({ ...fields, redirect_uri: "http://127.0.0.1:1455/auth/callback" })).status).toBe(400);
  expect((await postForm(fields)).status).toBe(200);
  expect((await postJson("/api/accounts/deviceauth/token", { device_auth_id: "x" })).status).toBe(400);
});

test("whoami knows personal access tokens only", async () => {
  const whoami = (token: string) =>
    fetch(`${upstream.authIssuer}/api/accounts/v1/user-auth-credential/whoami`, {
      headers: { authorization: `Bearer ${token}` },
    });
  expect(await (await whoami(DEFAULT_PAT)).json()).toMatchObject({ chatgpt_account_id: DEFAULT_ACCOUNT });
  expect((await whoami("at-other")).status).toBe(401);
});

describe("writeAuthFile", () => {
  const dir = mkdtempSync(join(tmpdir(), "auth-file-"));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test.each(["chatgpt", "apikey", "pat"] as const)("%s: 0600, as returned", (kind) => {
    const written = writeAuthFile(join(dir, kind), kind);
    expect(statSync(written.path).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(written.path, "utf8"))).toEqual(written.content);
    expect(JSON.stringify(written.content)).toContain(written.bearer);
  });

  test("takes overrides of tokens and fields", () => {
    const { content } = writeAuthFile(dir, "chatgpt", {
      tokens: { account_id: undefined, extra: 1 },
      fields: { last_refresh: undefined, more: true },
    });
    expect(content).toMatchObject({ more: true, tokens: { extra: 1 } });
    expect(readFileSync(join(dir, "auth.json"), "utf8")).not.toMatch(/account_id"|last_refresh/);
  });
});
