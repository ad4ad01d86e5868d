import { describe, expect, it } from "vitest";
import { redactText, toRedactedJson } from "../../../src/observability/redact.ts";

const JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyIn0.c2lnbmF0dXJl";

describe("redactText", () => {
  it.each([
    ["OpenAI key", "sk-proj-abcdefghijklmnop"],
    ["personal access token", "at-abcdefghijklmnop1234"],
    ["refresh token", "rt_abcdefghijklmnopqrst"],
    ["refresh token, dotted", "rt.1.abcdefghijklmnopqrst"],
    ["JWT", JWT],
    ["JWT without its signature", JWT.slice(0, JWT.lastIndexOf("."))],
  ])("hides a %s anywhere", (_name, secret) => {
    expect(redactText(`before ${secret} after`)).toBe("before <redacted> after");
    expect(redactText(`{"text":"${secret}"}`)).toBe('{"text":"<redacted>"}');
  });

  it("hides bearer values and passwords in URLs", () => {
    expect(redactText("Authorization: Bearer local-key-1")).toBe("Authorization: Bearer <redacted>");
    expect(redactText("proxy http://user:secret@host:1/")).toBe("proxy http://user:<redacted>@host:1/");
  });

  it.each(["task-oriented", "gpt-6.1-sol", "http://127.0.0.1:8765/v1", "the bearer of news", "start_of", "eyJ"])(
    "leaves %s",
    (text) => expect(redactText(text)).toBe(text),
  );
});

describe("toRedactedJson", () => {
  it("hides secrets by key at any depth, in any case", () => {
    const secrets = {
      Authorization: "x",
      api_key: "x",
      access_token: "x",
      refresh_token: "x",
      id_token: "x",
      cookie: "x",
      "Set-Cookie": ["x"],
      "x-api-key": "x",
    };
    const json = toRedactedJson({ event: "e", headers: secrets, list: [{ deep: secrets }] });
    expect(json).not.toContain('"x"');
    expect(json.match(/<redacted>/g)).toHaveLength(16);
  });

  it("tells a missing secret from a hidden one", () => {
    expect(toRedactedJson({ api_key: null, cookie: "" })).toBe('{"api_key":null,"cookie":""}');
  });

  it("leaves images out", () => {
    const base64 = "A".repeat(2000);
    expect(toRedactedJson({ url: `data:image/png;base64,${base64}` })).toBe(
      '{"url":"data:image/png;base64,<2000 characters>"}',
    );
    const block = toRedactedJson({ source: { type: "base64", data: base64 } });
    expect(block.length).toBeLessThan(100);
  });

  it("never throws", () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(toRedactedJson(cycle)).toBe('{"unloggable":true}');
  });
});
