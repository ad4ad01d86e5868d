import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAuthFile, withTokens } from "../../../src/credentials/auth-file.ts";
import { editJson } from "../../../src/credentials/json-edit.ts";
import { mintIdToken, mintToken } from "../../upstream/tokens.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const access = mintToken({ account: "acc-1", now: NOW, expiresIn: 3600 });
const tokens = { id_token: mintIdToken({ account: "acc-1", now: NOW }), access_token: access, refresh_token: "rt_1" };
const parse = (file: unknown) => parseAuthFile(JSON.stringify(file));

describe("parseAuthFile", () => {
  it("reads every shape that Codex writes", () => {
    expect(parse({ auth_mode: "apikey", OPENAI_API_KEY: "sk-1" })).toEqual({ mode: "api_key", apiKey: "sk-1" });
    expect(parse({ OPENAI_API_KEY: null, personal_access_token: "at-1" })).toEqual({
      mode: "personal_access_token",
      token: "at-1",
    });
    expect(parse({ OPENAI_API_KEY: null, tokens: { ...tokens, account_id: "acc-9" } })).toMatchObject({
      mode: "chatgpt",
      accessToken: access,
      refreshToken: "rt_1",
      accountId: "acc-9",
      email: "user@example.com",
      plan: "plus",
      expiresAt: NOW / 1000 + 3600,
      lastRefresh: undefined,
    });
  });

  it("takes the account from the tokens where the file leaves it out", () => {
    expect(parse({ tokens: { ...tokens, account_id: null } })).toMatchObject({ accountId: "acc-1" });
    expect(parse({ tokens: { access_token: access } })).toMatchObject({ accountId: "acc-1", refreshToken: undefined });
  });

  it("reads FedRAMP from the id token", () => {
    const fedramp = { ...tokens, id_token: mintIdToken({ fedramp: true }) };
    expect(parse({ tokens: fedramp })).toMatchObject({ fedramp: true });
    expect(parse({ tokens })).toMatchObject({ fedramp: false });
  });

  it("reads nanoseconds in last_refresh", () => {
    const login = parse({ tokens, last_refresh: "2026-11-22T20:30:35.189522669Z" });
    expect(login).toMatchObject({ lastRefresh: Date.parse("2026-11-22T20:30:35.189Z") });
  });

  it.each([
    ["apikey", { OPENAI_API_KEY: "sk-1", tokens }, "api_key"],
    ["chatgpt", { OPENAI_API_KEY: "sk-1", tokens }, "chatgpt"],
    ["chatgptAuthTokens", { OPENAI_API_KEY: "sk-1", tokens }, "chatgpt"],
    ["personalAccessToken", { OPENAI_API_KEY: "sk-1", tokens, personal_access_token: "at-1" }, "personal_access_token"],
    ["chatgpt", { OPENAI_API_KEY: "sk-1", tokens: {} }, "api_key"],
    ["apikey", { OPENAI_API_KEY: "", tokens }, "chatgpt"],
    [undefined, { OPENAI_API_KEY: "sk-1", tokens }, "api_key"],
    ["somethingNew", { OPENAI_API_KEY: null, tokens }, "chatgpt"],
  ])("auth_mode %s with %j is %s", (auth_mode, file, mode) => {
    expect(parse({ auth_mode, ...file })).toMatchObject({ mode });
  });

  it.each([
    ["", "not valid JSON"],
    ['{"tokens": {"access_token": "secret-in-torn-file', "not valid JSON"],
    ["[]", "not a JSON object"],
    ["{}", "holds no login"],
    ['{"auth_mode":"agentIdentity","agent_identity":{}}', 'auth_mode "agentIdentity"'],
  ])("says what is wrong with %j", (text, message) => {
    expect(() => parseAuthFile(text)).toThrow(message);
    expect(() => parseAuthFile(text)).toThrow(expect.objectContaining({ kind: "credentials", status: 503 }));
    expect(() => parseAuthFile(text)).not.toThrow("secret-in-torn-file");
  });

  it("reads a file with a byte order mark", () => {
    expect(parseAuthFile('\uFEFF{"OPENAI_API_KEY":"sk-1"}')).toEqual({ mode: "api_key", apiKey: "sk-1" });
  });
});

describe("withTokens", () => {
  const login = parse({ tokens });
  if (login.mode !== "chatgpt") throw new Error("a ChatGPT login");

  it("changes nothing but the tokens and last_refresh", () => {
    const text = `{
\t"big": 12345678901234567890, "esc": "a\\u00e9\\"}{",
\t"tokens": { "unknown":  [1, {"x": null}],
\t\t"refresh_token": "rt_1", "access_token" : ${JSON.stringify(access)}, "id_token": "old", "account_id": "acc-1" },
\t"last_refresh": "2026-01-01T00:00:00.123456789Z",
\t"10": true, "2": 1e400
}

`;
    const next = mintToken({ account: "acc-1", now: NOW });
    const edited = withTokens(text, login, { accessToken: next, refreshToken: "rt_2", idToken: "new" }, NOW);
    const expected = text
      .replace('"rt_1"', '"rt_2"')
      .replace(JSON.stringify(access), JSON.stringify(next))
      .replace('"old"', '"new"')
      .replace("2026-01-01T00:00:00.123456789Z", "2026-11-22T12:00:00.000Z");
    expect(edited).toBe(expected);
  });

  it("keeps what a refresh did not bring, and adds what the file lacks", () => {
    const text = JSON.stringify({ tokens: { access_token: access, refresh_token: "rt_1" } }, null, 2);
    const edited = JSON.parse(withTokens(text, login, { accessToken: "opaque", idToken: "id" }, NOW));
    expect(edited).toMatchObject({
      tokens: { access_token: "opaque", refresh_token: "rt_1", id_token: "id" },
      last_refresh: "2026-11-22T12:00:00.000Z",
    });
  });

  it("never swaps the account for the one of new tokens", () => {
    const other = mintIdToken({ account: "acc-2" });
    const stated = JSON.stringify({ tokens: { ...tokens, account_id: "acc-1" } });
    const derived = JSON.stringify({ tokens });
    for (const text of [stated, derived]) {
      expect(parseAuthFile(withTokens(text, login, { idToken: other }, NOW))).toMatchObject({ accountId: "acc-1" });
    }
  });
});

describe("editJson", () => {
  const keys = fc.constantFrom("tokens", "access_token", "a", "b", "__proto__", 'quo"te', "é");
  const objects = fc.dictionary(keys, fc.oneof(fc.jsonValue(), fc.dictionary(keys, fc.jsonValue())), {
    noNullPrototype: true,
  });

  it("does to any object what assignment does", () => {
    fc.assert(
      fc.property(
        objects,
        fc.array(keys, { minLength: 1, maxLength: 3 }),
        fc.string(),
        fc.constantFrom(0, 1, 2, "\t"),
        (object, path, value, indent) => {
          fc.pre(!path.includes("__proto__") && !Object.keys(object).includes("__proto__"));
          const text = `${JSON.stringify(object, null, indent)}\n`;
          const edited = editJson(text, [{ path: path as [string, ...string[]], value }]);
          expect(JSON.parse(edited)).toEqual(assign(JSON.parse(text), path, value));
          expect(edited.endsWith("\n")).toBe(true);
          expect(editJson(edited, [{ path: path as [string, ...string[]], value }])).toBe(edited);
        },
      ),
    );
  });
});

function assign(target: unknown, [key, ...rest]: string[], value: string): unknown {
  const object = typeof target === "object" && target !== null && !Array.isArray(target) ? target : {};
  const record = object as Record<string, unknown>;
  return { ...record, [key ?? ""]: rest.length === 0 ? value : assign(record[key ?? ""], rest, value) };
}
