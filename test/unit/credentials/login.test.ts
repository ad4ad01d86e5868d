import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runLogin } from "../../../src/cli/login.ts";
import { runLogout } from "../../../src/cli/logout.ts";
import { runWhoami } from "../../../src/cli/whoami.ts";
import { parseAuthFile } from "../../../src/credentials/auth-file.ts";
import { startUpstream } from "../../upstream/server.ts";
import { mintToken } from "../../upstream/tokens.ts";
import type { Upstream } from "../../upstream/types.ts";
import { AUTH_PATH, rejection } from "./support/bench.ts";
import { type LoginPlatform, loginConfig, loginPlatform, visit } from "./support/login-platform.ts";

const fixturePath = new URL("../../fixtures/upstream/auth/auth-chatgpt-after-login.json", import.meta.url);
const fixture = JSON.parse(readFileSync(fixturePath, "utf8"));

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream({ devicePendingPolls: 2 });
});
afterAll(() => upstream.close());

const config = () => loginConfig(upstream.authIssuer);
const authFile = (fake: LoginPlatform) => JSON.parse(fake.files.get(AUTH_PATH) ?? "null");

/** A user who agrees at once. */
async function agree(fake: LoginPlatform, url: string): Promise<Response> {
  const consent = await fetch(url, { redirect: "manual" });
  const back = consent.headers.get("location") ?? "";
  const callback = await visit(fake, back);
  if (callback.status !== 302) return callback;
  return visit(fake, new URL(callback.headers.get("location") ?? "", back).toString());
}

function expectNoSecret(fake: LoginPlatform): void {
  const shown = JSON.stringify(fake.out);
  for (const token of [...upstream.tokens.issuedAccess, ...upstream.tokens.issuedRefresh])
    expect(shown).not.toContain(token);
}

describe("login in the browser", () => {
  it("writes the auth.json that Codex writes", async () => {
    const fake = loginPlatform();
    let last: Response | undefined;
    fake.browse = async (url) => {
      last = await agree(fake, url);
    };
    await runLogin(fake.platform, config(), {});
    const file = authFile(fake);
    expect(Object.keys(file)).toEqual(Object.keys(fixture));
    expect(Object.keys(file.tokens)).toEqual(Object.keys(fixture.tokens));
    expect(file.tokens.access_token).toBe(upstream.tokens.issuedAccess.at(-1));
    expect(parseAuthFile(JSON.stringify(file))).toMatchObject({ mode: "chatgpt", accountId: file.tokens.account_id });
    expect(fake.files.modes.get(AUTH_PATH)).toBe(0o600);
    expect(file.last_refresh).toBe(new Date(fake.clock.now()).toISOString());
    expect(await last?.text()).toContain("Signed in");
    expect(fake.out.stdout).toContain(fake.opened[0]);
    expect(fake.out.stdout).toContain("Signed in as user@example.com (plan plus)");
    expect(fake.listening.size).toBe(0);
    expectNoSecret(fake);
  });

  it("asks with the documented parameters", async () => {
    const fake = loginPlatform();
    fake.browse = (url) => agree(fake, url);
    await runLogin(fake.platform, config(), {});
    const query = Object.fromEntries(new URL(fake.opened[0] ?? "").searchParams);
    expect(query).toMatchObject({
      redirect_uri: "http://127.0.0.1:1455/auth/callback",
      scope: "openid profile email offline_access api.connectors.read api.connectors.invoke",
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: "S256",
      id_token_add_organizations: "true",
      codex_cli_simplified_flow: "true",
      originator: "codex_cli_rs",
    });
    const exchange = upstream.requestsTo("/oauth/token").at(-1);
    expect(new URLSearchParams(exchange?.text).get("code_verifier")).toHaveLength(86);
  });

  it("goes on waiting after a foreign state, and serves nothing else", async () => {
    const fake = loginPlatform();
    fake.browse = async (url) => {
      const forged = await visit(fake, "http://127.0.0.1:1455/auth/callback?state=forged&code=ac_1");
      expect([forged.status, await forged.text()]).toEqual([400, "State mismatch"]);
      expect((await visit(fake, "http://127.0.0.1:1455/success")).status).toBe(400);
      expect((await visit(fake, "http://127.0.0.1:1455/other")).status).toBe(404);
      await agree(fake, url);
    };
    await runLogin(fake.platform, config(), {});
    expect(authFile(fake).auth_mode).toBe("chatgpt");
  });

  it("ends with a page and a message when the user declines", async () => {
    const fake = loginPlatform();
    let page = "";
    fake.browse = async (url) => {
      const state = new URL(url).searchParams.get("state") ?? "";
      const query = new URLSearchParams({
        state,
        error: "access_denied",
        error_description: "No <script>alert(1)</script>",
      });
      page = await (await visit(fake, `http://127.0.0.1:1455/auth/callback?${query}`)).text();
    };
    const error = await rejection(runLogin(fake.platform, config(), {}));
    expect(error.message).toContain("sign-in failed: No");
    expect(page).toContain("Sign-in failed");
    expect(page).not.toContain("<script>");
    expect(fake.files.get(AUTH_PATH)).toBeUndefined();
    expect(fake.listening.size).toBe(0);
  });

  it("keeps the old login when the exchange fails", async () => {
    const fake = loginPlatform();
    fake.files.put(AUTH_PATH, '{"OPENAI_API_KEY":"sk-old"}');
    fake.browse = (url) => {
      upstream.script("/oauth/token", { status: 500, body: "down" });
      return agree(fake, url);
    };
    expect((await rejection(runLogin(fake.platform, config(), {}))).message).toContain(
      "the code was not accepted (500",
    );
    expect(authFile(fake)).toEqual({ OPENAI_API_KEY: "sk-old" });
    upstream.reset();
  });

  it("gives up after 15 minutes", async () => {
    const fake = loginPlatform();
    const error = rejection(runLogin(fake.platform, config(), {}));
    await expect.poll(() => fake.opened.length).toBe(1);
    await fake.clock.advance(15 * 60_000);
    expect((await error).message).toContain("15 minutes");
    expect(fake.listening.size).toBe(0);
  });

  it("takes the port over from a login that was left waiting", async () => {
    const fake = loginPlatform();
    fake.taken.add(1455);
    fake.onCancel = () => fake.taken.delete(1455);
    fake.browse = (url) => agree(fake, url);
    const done = runLogin(fake.platform, config(), {});
    await fake.clock.advance(3000);
    await done;
    expect(fake.fetched[0]).toBe("GET http://127.0.0.1:1455/cancel");
    expect(fake.opened[0]).toContain("127.0.0.1%3A1455");
  });

  it("uses the second port, and says so when both are taken", async () => {
    const fake = loginPlatform();
    fake.taken.add(1455);
    fake.browse = (url) => agree(fake, url);
    const done = runLogin(fake.platform, config(), {});
    await fake.clock.advance(3000);
    await done;
    expect(fake.opened[0]).toContain("127.0.0.1%3A1457");
    fake.taken.add(1457);
    const error = rejection(runLogin(fake.platform, config(), {}));
    await fake.clock.advance(3000);
    expect((await error).message).toContain("1455 or 1457");
  });

  it("is ended by another login", async () => {
    const fake = loginPlatform();
    fake.browse = () => visit(fake, "http://127.0.0.1:1455/cancel");
    expect(await rejection(runLogin(fake.platform, config(), {}))).toMatchObject({ kind: "cancelled" });
  });
});

describe("login by device code", () => {
  it("shows the code, polls until the user agrees, and saves", async () => {
    const fake = loginPlatform();
    const done = runLogin(fake.platform, config(), { device: true });
    await poll(fake, done);
    expect(fake.out.stdout).toMatch(/\/codex\/device[\s\S]*ABCD-\d{5}/);
    expect(authFile(fake)).toMatchObject({
      auth_mode: "chatgpt",
      tokens: { refresh_token: upstream.tokens.issuedRefresh.at(-1) },
    });
    expect(upstream.requestsTo("/api/accounts/deviceauth/token").length).toBeGreaterThanOrEqual(3);
    expectNoSecret(fake);
  });

  it.each([
    [{ status: 404 }, "not enabled for this workspace"],
    [{ status: 500 }, "no device code was given (500)"],
    [{ status: 200, body: "<html>" }, "no device code was given (200)"],
  ])("explains a first answer of %j", async (answer, text) => {
    const fake = loginPlatform();
    upstream.script("/api/accounts/deviceauth/usercode", answer);
    expect((await rejection(runLogin(fake.platform, config(), { device: true }))).message).toContain(text);
    upstream.reset();
  });

  it("ends when the code is refused", async () => {
    const fake = loginPlatform();
    upstream.script("/api/accounts/deviceauth/token", { status: 400, body: {} });
    const done = rejection(runLogin(fake.platform, config(), { device: true }));
    await poll(fake, done);
    expect((await done).message).toContain("refused (400)");
    upstream.reset();
  });
});

describe("login --with-api-key", () => {
  it("saves the key from stdin and shows nothing of it", async () => {
    const fake = loginPlatform();
    fake.stdin = "sk-secret-key\n";
    await runLogin(fake.platform, config(), { withApiKey: true });
    expect(authFile(fake)).toEqual({ auth_mode: "apikey", OPENAI_API_KEY: "sk-secret-key" });
    expect(fake.files.modes.get(AUTH_PATH)).toBe(0o600);
    expect(JSON.stringify(fake.out)).not.toContain("sk-secret");
  });

  it.each(["", "  \n", "two words", "a\nb"])("refuses %j", async (stdin) => {
    const fake = loginPlatform();
    fake.stdin = stdin;
    expect((await rejection(runLogin(fake.platform, config(), { withApiKey: true }))).message).toContain(
      "reads one API key",
    );
    expect(fake.files.get(AUTH_PATH)).toBeUndefined();
  });

  it("warns when Codex is set to use the keyring", async () => {
    const fake = loginPlatform();
    fake.files.put("/home/user/.codex/config.toml", 'cli_auth_credentials_store = "keyring"');
    fake.stdin = "sk-secret-key";
    await runLogin(fake.platform, config(), { withApiKey: true });
    expect(fake.out.stderr).toContain('cli_auth_credentials_store = "keyring"');
  });
});

describe("logout", () => {
  it("revokes, then removes the file", async () => {
    const fake = loginPlatform();
    fake.files.put(AUTH_PATH, JSON.stringify({ tokens: { access_token: mintToken(), refresh_token: "rt_mine" } }));
    await runLogout(fake.platform, config());
    expect(upstream.tokens.invalidatedRefresh.has("rt_mine")).toBe(true);
    expect(fake.files.get(AUTH_PATH)).toBeUndefined();
    expect(fake.out.stdout).toContain("Signed out");
    await runLogout(fake.platform, config());
    expect(fake.out.stdout).toContain("not signed in");
  });

  it("removes the file when revocation fails or the file is broken", async () => {
    const fake = loginPlatform();
    upstream.script("/oauth/revoke", { status: 500 });
    fake.files.put(AUTH_PATH, JSON.stringify({ tokens: { access_token: mintToken(), refresh_token: "rt_mine" } }));
    await runLogout(fake.platform, config());
    expect(fake.out.stderr).toContain("could not be revoked");
    fake.files.put(AUTH_PATH, "{");
    fake.env = { CODEX_API_KEY: "sk-secret" };
    await runLogout(fake.platform, config());
    expect(fake.files.get(AUTH_PATH)).toBeUndefined();
    expect(fake.out.stderr).toContain("CODEX_API_KEY is set");
    expect(fake.out.stderr).not.toContain("sk-secret");
    upstream.reset();
  });
});

describe("whoami", () => {
  it.each([
    [9.5 * 86_400, "expires in 9 days"],
    [5 * 3600 + 1, "expires in 5 hours"],
    [600, "expires in 10 minutes"],
    [-3 * 3600, "expired 3 hours ago"],
  ])("tells an expiry in %s s as %s", async (expiresIn, text) => {
    const fake = loginPlatform();
    const access_token = mintToken({ expiresIn, account: "acc-1", now: fake.clock.now() });
    fake.files.put(AUTH_PATH, JSON.stringify({ tokens: { access_token, refresh_token: "rt_mine" } }));
    await runWhoami(fake.platform, config());
    expect(fake.out.stdout).toContain("account:      user@example.com\nplan:         plus\naccount id:   acc-1\n");
    expect(fake.out.stdout).toContain(text);
    expect(fake.out.stdout).not.toContain(access_token);
    expect(fake.out.stdout).not.toContain("rt_mine");
  });

  it("tells machines the same", async () => {
    const fake = loginPlatform();
    const access_token = mintToken({ expiresIn: 3600, account: "acc-1", now: fake.clock.now() });
    fake.files.put(AUTH_PATH, JSON.stringify({ tokens: { access_token } }));
    await runWhoami(fake.platform, config(), { json: true });
    expect(JSON.parse(fake.out.stdout)).toEqual({
      mode: "chatgpt",
      source: "auth.json",
      email: "user@example.com",
      plan: "plus",
      account_id: "acc-1",
      fedramp: false,
      expires_at: new Date(fake.clock.now() + 3_600_000).toISOString(),
      expires_in_seconds: 3600,
      last_refresh: null,
      refreshable: false,
    });
  });

  it("shows keys and personal access tokens by name only, and the absence of a login", async () => {
    const fake = loginPlatform();
    expect((await rejection(runWhoami(fake.platform, config()))).message).toContain("no auth.json");
    fake.env = { OPENAI_API_KEY: "sk-secret" };
    await runWhoami(fake.platform, config());
    expect(fake.out.stdout).toBe("mode:         OpenAI API key\nsource:       OPENAI_API_KEY\n");
    const [pat] = upstream.tokens.pats;
    fake.env = { CODEX_ACCESS_TOKEN: pat ?? "" };
    await runWhoami(fake.platform, config());
    expect(fake.out.stdout).toContain("user@example.com");
    expect(fake.out.stdout).not.toContain(pat);
  });
});

/** Lets the poll interval pass while real answers arrive. */
async function poll(fake: LoginPlatform, done: Promise<unknown>): Promise<void> {
  let over = false;
  void done.finally(() => {
    over = true;
  });
  while (!over) {
    await fake.clock.advance(fake.clock.pending.length === 1 ? 1000 : 0);
    await new Promise((next) => setTimeout(next, 2));
  }
}
