import { describe, expect, it } from "vitest";
import { readEvent } from "../../../src/canonical/event.ts";
import { hideSecrets } from "../../../src/canonical/secrets.ts";

const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";

describe("hideSecrets", () => {
  it.each([
    JWT,
    JWT.slice(0, 12),
    "sk-proj-abcdef123456",
    "sk-abc***wxyz",
    "at-0123456789abcdef0123",
    "rt_abc.def-ghi",
  ])("hides %s", (secret) => expect(hideSecrets(`token "${secret}", refused`)).toBe('token "<redacted>", refused'));

  it("leaves words and ids alone", () => {
    const text = "at-least-once task-skeleton resp_rt5 sk-1 part_abcdefghijk";
    expect(hideSecrets(text)).toBe(text);
  });
});

describe("an event that tells an error", () => {
  it.each([
    { type: "error", error: { message: `no ${JWT}` } },
    { type: "response.failed", response: { id: "resp_1", error: { code: "server_error", message: JWT } } },
  ])("$type shows no secret, parsed or passed on, wherever its type stands", (event) => {
    const { type, ...rest } = event;
    for (const data of [JSON.stringify(event), JSON.stringify({ ...rest, type })]) {
      const read = readEvent(data);
      expect(read?.type).toBe(type);
      expect(read?.data).toBe(data.replace(JWT, "<redacted>"));
      expect(JSON.stringify(read?.value)).not.toContain("eyJ");
    }
  });

  it("is the only one that is searched: what the model says is the client's", () => {
    const data = JSON.stringify({ type: "response.output_text.delta", delta: JWT });
    expect(readEvent(data)?.data).toBe(data);
  });
});
