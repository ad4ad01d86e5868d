import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ROOT, type Runtime, runtimes } from "../support/runtimes.ts";
import {
  DEFAULT_ACCOUNT,
  DEFAULT_API_KEY,
  DEFAULT_PAT,
  startUpstream,
  type Upstream,
  writeAuthFile,
} from "../upstream/index.ts";
import { DEFAULT_EMAIL } from "../upstream/tokens.ts";
import {
  ask,
  bearers,
  type Json,
  modeOf,
  type RunningCommand,
  readAuth,
  runCommand,
  serve,
  upstreamEnvironment,
} from "./login-support.ts";

const PORT = 1455;
const CODEX = join(ROOT, ".cache/clients/codex/node_modules/.bin/codex");
const fixture = JSON.parse(
  readFileSync(new URL("../fixtures/upstream/auth/auth-chatgpt-after-login.json", import.meta.url), "utf8"),
) as Json;

/** Ports of logins are fixed, so that the runtimes take turns. */
describe.each(runtimes)("on $name", (runtime: Runtime) => {
  let upstream: Upstream;
  let home: string;

  beforeAll(async () => {
    upstream = await startUpstream({ devicePendingPolls: 1, deviceIntervalSeconds: 1 });
    home = mkdtempSync(join(tmpdir(), "codex-api-proxy-commands-"));
  });
  beforeEach(() => {
    upstream.reset();
    for (const name of ["auth.json", "config.toml", "opened"]) rmSync(join(home, name), { force: true });
  });
  afterAll(async () => {
    await upstream?.close();
    rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });

  const command = (args: readonly string[], stdin = "", env: Record<string, string> = {}): RunningCommand =>
    runCommand(runtime, args, { home, stdin, env: { ...upstreamEnvironment(upstream), ...env } });
  const shownUrl = (login: RunningCommand): Promise<URL> =>
    expect
      .poll(() => /http:\S+\/oauth\/authorize\S+/.exec(login.stdout())?.[0], { timeout: 15_000 })
      .toBeTruthy()
      .then(() => new URL(/http:\S+\/oauth\/authorize\S+/.exec(login.stdout())?.[0] ?? ""));
  /** Where the browser is sent after the user has agreed. */
  const agree = async (authorize: URL): Promise<URL> => {
    const consent = await fetch(authorize, { redirect: "manual" });
    expect([consent.status, consent.status === 302 ? "" : await consent.text()]).toEqual([302, ""]);
    return new URL(consent.headers.get("location") ?? "");
  };
  const visit = async (url: URL): Promise<{ status: number; text: string }> => {
    const response = await fetch(url);
    return { status: response.status, text: await response.text() };
  };
  const expectNoSecret = (...texts: readonly string[]): void => {
    const { issuedAccess, issuedRefresh } = upstream.tokens;
    for (const secret of [...issuedAccess, ...issuedRefresh, DEFAULT_API_KEY, DEFAULT_PAT]) {
      for (const text of texts) expect(text).not.toContain(secret);
    }
  };

  describe("login", () => {
    it("in the browser writes the auth.json that Codex writes; whoami and a server use it at once", async () => {
      const login = command(["login"]);
      const authorize = await shownUrl(login);
      expect(authorize.searchParams.get("redirect_uri")).toBe(`http://127.0.0.1:${PORT}/auth/callback`);
      const back = await agree(authorize);
      const forged = new URL(back);
      forged.searchParams.set("state", "another-state-of-another-login");
      expect(await visit(forged)).toEqual({ status: 400, text: "State mismatch" });
      const page = await visit(back);
      expect(page).toEqual({ status: 200, text: expect.stringContaining("Signed in") });
      const { code, stdout, stderr } = await login.done;
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toContain(`Signed in as ${DEFAULT_EMAIL} (plan plus); saved to ${home}/auth.json`);
      expectNoSecret(stdout, page.text);
      const file = readAuth(home);
      expect([Object.keys(file), Object.keys(file.tokens)]).toEqual([
        Object.keys(fixture),
        Object.keys(fixture.tokens),
      ]);
      expect(file.tokens).toMatchObject({
        access_token: upstream.tokens.issuedAccess[0],
        refresh_token: upstream.tokens.issuedRefresh[0],
        account_id: DEFAULT_ACCOUNT,
      });
      expect(modeOf(home)).toEqual({ mode: 0o600, isLink: false });

      const words = await command(["whoami"]).done;
      expect(words.stdout).toMatch(/account: +user@example\.com\nplan: +plus\naccount id: .*\nmode: +ChatGPT login\n/);
      expect(words.stdout).toMatch(/access token: expires in 9 days .*; renewed automatically/);
      expectNoSecret(words.stdout, words.stderr);
      const server = await serve(runtime, upstream, home);
      expect((await ask(server)).status).toBe(200);
      expect(bearers(upstream)).toEqual(upstream.tokens.issuedAccess);
      await server.stop();
    });

    it("opens the browser where there is one", async () => {
      const opener = join(home, "xdg-open");
      writeFileSync(opener, `#!/bin/sh\necho "$1" > ${join(home, "opened")}\n`);
      chmodSync(opener, 0o755);
      const login = command(["login"], "", { PATH: `${home}:${process.env.PATH}` });
      const url = await shownUrl(login);
      await expect.poll(() => existsSync(join(home, "opened")), { timeout: 5_000 }).toBe(true);
      expect((await visit(await agree(url))).status).toBe(200);
      expect((await login.done).code).toBe(0);
      expect(readFileSync(join(home, "opened"), "utf8").trim()).toBe(url.href);
    });

    it("that the user or the issuer refuses changes nothing and says why", async () => {
      const before = writeAuthFile(home, "chatgpt").content;
      const denied = command(["login"]);
      const back = await agree(await shownUrl(denied));
      back.searchParams.delete("code");
      back.searchParams.set("error", "access_denied");
      back.searchParams.set("error_description", "You said <no>");
      const page = await visit(back);
      expect(page.text).toContain("You said");
      expect(page.text).not.toContain("<no>");
      expect(await denied.done).toMatchObject({ code: 1, stderr: expect.stringContaining("sign-in failed: You said") });

      upstream.script("/oauth/token", { status: 400, body: { error: "invalid_grant", error_description: "used" } });
      const refused = command(["login"]);
      expect((await visit(await agree(await shownUrl(refused)))).status).toBe(502);
      const { code, stderr } = await refused.done;
      expect([code, stderr]).toEqual([1, expect.stringMatching(/code was not accepted \(400, invalid_grant\)/)]);
      expect(readAuth(home)).toEqual(before);
    });

    it("takes over the port from a login that was left waiting", async () => {
      const left = command(["login"]);
      await shownUrl(left);
      const second = command(["login"]);
      const url = await shownUrl(second);
      expect(await left.done).toMatchObject({ code: 1, stderr: expect.stringContaining("cancelled") });
      expect(url.searchParams.get("redirect_uri")).toContain(`:${PORT}/`);
      expect((await visit(await agree(url))).status).toBe(200);
      expect((await second.done).code).toBe(0);
    });

    it("takes the second port when another program holds the first", async () => {
      const other = await new Promise<Server>((resolve) => {
        const server = createServer((_request, response) => response.end("mine")).listen(PORT, "127.0.0.1", () =>
          resolve(server),
        );
      });
      try {
        const login = command(["login"]);
        const url = await shownUrl(login);
        expect(url.searchParams.get("redirect_uri")).toBe("http://127.0.0.1:1457/auth/callback");
        expect((await visit(await agree(url))).status).toBe(200);
        expect((await login.done).code).toBe(0);
      } finally {
        other.closeAllConnections();
        other.close();
      }
    });

    it("--device shows a code and waits until it has been entered", async () => {
      const { code, stdout, stderr } = await command(["login", "--device"]).done;
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toContain(`Open ${upstream.origin}/codex/device`);
      expect(stdout).toMatch(/ABCD-\d{5}/);
      expect(stdout).toContain(`Signed in as ${DEFAULT_EMAIL}`);
      expectNoSecret(stdout);
      expect(upstream.requestsTo("/api/accounts/deviceauth/token").map(({ status }) => status)).toEqual([403, 200]);
      expect(readAuth(home).tokens.refresh_token).toBe(upstream.tokens.issuedRefresh[0]);
      expect(modeOf(home).mode).toBe(0o600);
    });

    it("--device says when the workspace does not allow it", async () => {
      upstream.script("/api/accounts/deviceauth/usercode", { status: 404, body: {} });
      const { code, stderr } = await command(["login", "--device"]).done;
      expect([code, stderr]).toEqual([1, expect.stringContaining("device login is not enabled")]);
      expect(existsSync(join(home, "auth.json"))).toBe(false);
    });

    it("--with-api-key reads the key from standard input only, and names it nowhere", async () => {
      const { code, stdout, stderr } = await command(["login", "--with-api-key"], `${DEFAULT_API_KEY}\n`).done;
      expect([code, stderr]).toEqual([0, ""]);
      expectNoSecret(stdout);
      expect(readAuth(home)).toEqual({ auth_mode: "apikey", OPENAI_API_KEY: DEFAULT_API_KEY });
      expect(modeOf(home).mode).toBe(0o600);
      const who = await command(["whoami", "--json"]).done;
      expect(JSON.parse(who.stdout)).toMatchObject({ mode: "api_key", source: "auth.json", refreshable: false });
      expectNoSecret(who.stdout);
      for (const bad of ["", "two words\n"]) {
        const refused = await command(["login", "--with-api-key"], bad).done;
        expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("reads one API key from stdin")]);
        expect(refused.stderr).not.toContain("two words");
      }
      expect(readAuth(home).OPENAI_API_KEY).toBe(DEFAULT_API_KEY);
    });

    it("warns where Codex is set to keep its login elsewhere", async () => {
      writeFileSync(join(home, "config.toml"), 'cli_auth_credentials_store = "keyring"\n');
      const { code, stderr } = await command(["login", "--with-api-key"], DEFAULT_API_KEY).done;
      expect([code, stderr]).toEqual([0, expect.stringMatching(/WARNING: .*"keyring".*"file"/)]);
    });
  });

  describe("logout", () => {
    it("revokes the login and removes the file", async () => {
      const { refreshToken } = writeAuthFile(home, "chatgpt");
      expect(await command(["logout"]).done).toMatchObject({
        code: 0,
        stdout: `Signed out; removed ${home}/auth.json\n`,
      });
      expect(existsSync(join(home, "auth.json"))).toBe(false);
      expect(upstream.requestsTo("/oauth/revoke").map(({ json, status }) => [(json as Json).token, status])).toEqual([
        [refreshToken, 200],
      ]);
      const again = await command(["logout"], "", { CODEX_API_KEY: DEFAULT_API_KEY }).done;
      expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("not signed in") });
      expect(again.stderr).toMatch(/CODEX_API_KEY is set/);
      expectNoSecret(again.stderr);
    });

    it("removes a file whose login cannot be revoked, and one that is broken", async () => {
      writeAuthFile(home, "chatgpt");
      upstream.script("/oauth/revoke", { status: 500, body: "" });
      const { code, stderr } = await command(["logout"]).done;
      expect([code, stderr, existsSync(join(home, "auth.json"))]).toEqual([
        0,
        expect.stringContaining("could not be revoked"),
        false,
      ]);
      writeFileSync(join(home, "auth.json"), "{");
      expect((await command(["logout"]).done).code).toBe(0);
      expect(existsSync(join(home, "auth.json"))).toBe(false);
    });
  });

  describe("whoami", () => {
    it("--json tells account, plan and expiry, never a token, and refreshes nothing", async () => {
      const { content } = writeAuthFile(home, "chatgpt", { expiresIn: -7200, plan: "pro" });
      const { code, stdout } = await command(["whoami", "--json"]).done;
      const who = JSON.parse(stdout) as Json;
      expect([code, who]).toMatchObject([
        0,
        { mode: "chatgpt", email: DEFAULT_EMAIL, plan: "pro", account_id: DEFAULT_ACCOUNT, refreshable: true },
      ]);
      expect(who.expires_in_seconds).toBeLessThan(-7190);
      const tokens = Object.values(content.tokens as Record<string, string>);
      for (const token of tokens) if (token !== DEFAULT_ACCOUNT) expect(stdout).not.toContain(token);
      expect((await command(["whoami"]).done).stdout).toMatch(/expired 2 hours ago .* renewed automatically/);
      expect(upstream.requests).toEqual([]);
    });

    it("asks upstream whose personal access token it is", async () => {
      writeAuthFile(home, "pat");
      const { stdout } = await command(["whoami"]).done;
      expect(stdout).toMatch(/account: +user@example\.com\nplan: +plus\n.*\nmode: +personal access token\n/);
      expectNoSecret(stdout);
      upstream.tokens.pats.clear();
      const refused = await command(["whoami"]).done;
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("personal access token was refused") });
    });

    it("names the environment variable that overrides the file", async () => {
      writeAuthFile(home, "chatgpt");
      const { stdout } = await command(["whoami"], "", { CODEX_API_KEY: DEFAULT_API_KEY }).done;
      expect(stdout).toMatch(/source: +CODEX_API_KEY/);
      expectNoSecret(stdout);
    });

    it("says what to do where there is no login, or Codex keeps it in the keyring", async () => {
      expect(await command(["whoami"]).done).toMatchObject({
        code: 1,
        stdout: "",
        stderr: expect.stringMatching(/^ERROR: no auth\.json in CODEX_HOME: sign in with `codex login`/),
      });
      writeFileSync(join(home, "config.toml"), 'cli_auth_credentials_store = "keyring"\n');
      expect((await command(["whoami"]).done).stderr).toMatch(/OS keyring.*cli_auth_credentials_store = "file"/);
    });
  });

  it("the command that renews the login is for the server alone", async () => {
    const { code, stdout, stderr } = await command(["renew-login"]).done;
    expect([code, stdout, stderr]).toEqual([1, "", expect.stringContaining("is for the server itself")]);
    expect((await command(["--help"]).done).stdout).not.toContain("renew-login");
  });

  if (existsSync(CODEX)) {
    it("Codex CLI accepts the login that was made here", async () => {
      expect((await command(["login", "--device"]).done).code).toBe(0);
      const env = { PATH: process.env.PATH, HOME: home, CODEX_HOME: home } as NodeJS.ProcessEnv;
      const output = execFileSync("sh", ["-c", '"$0" login status 2>&1', CODEX], { env, cwd: home, encoding: "utf8" });
      expect(output).toContain("Logged in using ChatGPT");
      expect(statSync(join(home, "auth.json")).mode & 0o777).toBe(0o600);
    });
  }
});
