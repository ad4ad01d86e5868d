import { describe, expect, it } from "vitest";
import type { Credentials } from "../../../src/credentials/credentials.ts";
import { ACCOUNT, AUTH_PATH, createBench, rejection } from "./support/bench.ts";
import { systemError } from "./support/memory-files.ts";

const tokenOf = (credentials: Credentials) =>
  credentials.mode === "api_key" ? credentials.apiKey : credentials.accessToken;

describe("a login that needs no refresh", () => {
  it("is used as it is, at the cost of one stat a request", async () => {
    const bench = createBench();
    const { accessToken, refreshToken } = bench.signIn(3600, { fedramp: true });
    const session = bench.session();
    const expiresAt = bench.clock.now() / 1000 + 3600;
    const expected = { mode: "chatgpt", accessToken, refreshToken, accountId: ACCOUNT, fedramp: true, expiresAt };
    for (let i = 0; i < 20; i++) expect(await session.current()).toEqual(expected);
    expect(bench.files.calls).toEqual({ stat: 20, readText: 1 });
    expect(bench.oauth.calls).toHaveLength(0);
    expect(session.authPath).toBe(AUTH_PATH);
  });

  it("is exchanged for another one when the file changes", async () => {
    const bench = createBench();
    bench.signIn(3600);
    const session = bench.session();
    await session.current();
    bench.files.put(AUTH_PATH, '{"OPENAI_API_KEY":"sk-new"}');
    expect(await session.current()).toEqual({ mode: "api_key", apiKey: "sk-new" });
    expect(bench.log.map(({ event }) => event)).toEqual(["login_changed"]);
  });

  it("survives a reader in the middle of an in-place write", async () => {
    const bench = createBench();
    bench.signIn(3600);
    const whole = bench.files.get(AUTH_PATH) ?? "";
    bench.files.put(AUTH_PATH, whole.slice(0, 100));
    const answer = bench.session().current();
    await bench.clock.advance(60);
    bench.files.put(AUTH_PATH, whole);
    await bench.clock.advance(100);
    expect(await answer).toMatchObject({ mode: "chatgpt" });
  });
});

describe("the environment", () => {
  it("beats auth.json with CODEX_API_KEY, then CODEX_ACCESS_TOKEN; OPENAI_API_KEY only fills in", async () => {
    const bench = createBench();
    const { accessToken } = bench.signIn(3600);
    const session = bench.session();
    bench.env = { OPENAI_API_KEY: "sk-fallback" };
    expect(tokenOf(await session.current())).toBe(accessToken);
    await bench.files.remove(AUTH_PATH);
    expect(tokenOf(await session.current())).toBe("sk-fallback");
    bench.env = { CODEX_ACCESS_TOKEN: accessToken, OPENAI_API_KEY: "sk-fallback" };
    expect(await session.current()).toMatchObject({ accessToken, accountId: ACCOUNT, refreshToken: undefined });
    bench.env.CODEX_API_KEY = " sk-codex ";
    expect(tokenOf(await session.current())).toBe("sk-codex");
    bench.env = { CODEX_API_KEY: "  " };
    expect(await rejection(session.current())).toMatchObject({ kind: "credentials" });
  });

  it("says which variable upstream refused, or has expired", async () => {
    const bench = createBench();
    const session = bench.session();
    bench.env = { CODEX_API_KEY: "sk-1" };
    const refused = await rejection(session.recover(await session.current()));
    expect(refused).toMatchObject({ kind: "login_expired", status: 401 });
    expect(refused.message).toContain("CODEX_API_KEY");
    bench.env = { CODEX_ACCESS_TOKEN: bench.signIn(-1).accessToken };
    expect((await rejection(session.current())).message).toContain("CODEX_ACCESS_TOKEN has expired");
  });
});

describe("without a usable auth.json", () => {
  it.each([
    [undefined, "codex-api-proxy login"],
    ["[broken", "codex-api-proxy login"],
    ['cli_auth_credentials_store = "keyring"', "OS keyring"],
    ['cli_auth_credentials_store = "auto"', "may keep its login in the OS keyring"],
    ['cli_auth_credentials_store = "ephemeral"', "in memory only"],
    ['cli_auth_credentials_store = "file"', "codex-api-proxy login"],
  ])("config.toml %j is explained", async (config, text) => {
    const bench = createBench();
    if (config !== undefined) bench.files.put("/home/user/.codex/config.toml", config);
    const error = await rejection(bench.session().current());
    expect(error).toMatchObject({ kind: "credentials", status: 503 });
    expect(error.message).toContain(text);
    expect(error.message).not.toContain("/home");
  });

  it("tells an unreadable file from a missing one, and recovers with it", async () => {
    const bench = createBench();
    bench.signIn(3600);
    const session = bench.session();
    bench.files.fail = { readText: systemError("EACCES") };
    const error = await rejection(session.current());
    expect(error).toMatchObject({ kind: "credentials" });
    expect(error.message).toContain("EACCES");
    expect(error.message).not.toContain("path");
    // The file is the same as before: only its mode changed, or a descriptor is free again.
    bench.files.fail = {};
    expect(await session.current()).toMatchObject({ mode: "chatgpt" });
  });

  it("answers at once while the file stays broken", async () => {
    const bench = createBench();
    bench.files.put(AUTH_PATH, "{");
    const session = bench.session();
    const first = rejection(session.current());
    await bench.clock.advance(1000);
    expect((await first).message).toContain("not valid JSON");
    const reads = bench.files.calls.readText;
    expect((await rejection(session.current())).message).toContain("not valid JSON");
    expect(bench.files.calls.readText).toBe(reads);
  });
});

describe("an API key in the file", () => {
  it("is not tried again after a refusal, unless it was replaced", async () => {
    const bench = createBench();
    bench.files.put(AUTH_PATH, '{"auth_mode":"apikey","OPENAI_API_KEY":"sk-1"}');
    const session = bench.session();
    const refused = await session.current();
    expect(await rejection(session.recover(refused))).toMatchObject({ kind: "login_expired" });
    bench.files.put(AUTH_PATH, '{"auth_mode":"apikey","OPENAI_API_KEY":"sk-2"}');
    expect(await session.recover(refused)).toEqual({ mode: "api_key", apiKey: "sk-2" });
  });
});

describe("a personal access token", () => {
  const whoami = {
    email: "a@b.c",
    chatgpt_account_id: "acc-pat",
    chatgpt_plan_type: "pro",
    chatgpt_account_is_fedramp: true,
  };

  it("is completed by its owner's account, asked for once", async () => {
    const bench = createBench();
    bench.files.put(AUTH_PATH, '{"OPENAI_API_KEY":null,"personal_access_token":"at-secret"}');
    bench.oauth.answer = () => Response.json(whoami);
    const session = bench.session();
    const all = await Promise.all(Array.from({ length: 10 }, () => session.current()));
    expect(new Set(all.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(all[0]).toMatchObject({ accessToken: "at-secret", accountId: "acc-pat", fedramp: true });
    expect(bench.oauth.calls).toHaveLength(1);
    expect(bench.oauth.calls[0]).toMatchObject({
      url: "https://auth.test/api/accounts/v1/user-auth-credential/whoami",
      headers: { authorization: "Bearer at-secret", originator: "codex_cli_rs" },
    });
    expect(await rejection(session.recover(await session.current()))).toMatchObject({ kind: "login_expired" });
  });

  it("works without the account while the owner cannot be asked", async () => {
    const bench = createBench();
    bench.env = { CODEX_ACCESS_TOKEN: "at-secret" };
    bench.oauth.answer = () => new Response("oops", { status: 500 });
    const session = bench.session();
    for (let i = 0; i < 5; i++) expect(await session.current()).toMatchObject({ accountId: undefined });
    expect(bench.oauth.calls).toHaveLength(1);
    bench.oauth.answer = () => Response.json(whoami);
    await bench.clock.advance(31_000);
    expect(await session.current()).toMatchObject({ accountId: "acc-pat" });
  });

  it("that is refused ends in a clear error, asked once", async () => {
    const bench = createBench();
    bench.env = { CODEX_ACCESS_TOKEN: "at-secret" };
    bench.oauth.answer = () => new Response("no", { status: 401 });
    const session = bench.session();
    for (let i = 0; i < 5; i++) {
      expect(await rejection(session.current())).toMatchObject({ kind: "login_expired", status: 401 });
    }
    expect(bench.oauth.calls).toHaveLength(1);
  });
});
