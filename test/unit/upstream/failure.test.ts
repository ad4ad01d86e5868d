import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { ProxyError } from "../../../src/errors.ts";
import { failureOfBody, failureOfConnection } from "../../../src/upstream/failure.ts";
import { readFixture } from "../../upstream/index.ts";

const RECORDED = resolve(import.meta.dirname, "../../fixtures/upstream/responses");
const NOW = 1_795_379_374_000;

interface Recorded {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

function read(status: number, body: unknown, headers: Record<string, string> = {}, model = "m"): ProxyError {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return failureOfBody(status, new Headers(headers), text, { now: NOW, model, models: ["gpt-5.5", "gpt-6-sol"] });
}

function recorded(name: string): ProxyError {
  const { status, headers, body } = JSON.parse(readFixture(`responses/${name}`)) as Recorded;
  return read(status, body, headers);
}

describe("failureOfBody", () => {
  test.each([
    ["http-400-context-length.json", "context_overflow", 400],
    ["http-400-invalid-request.json", "invalid_request", 400],
    ["http-400-model-not-supported.json", "model_not_found", 404],
    ["http-401-token_invalidated.json", "login_expired", 401],
    ["http-403-cloudflare.json", "forbidden", 403],
    ["http-403.json", "forbidden", 403],
    ["http-429-rate-limit.json", "rate_limit", 429],
    ["http-429-usage_limit_reached.json", "usage_limit", 429],
    ["http-429-usage_not_included.json", "quota", 429],
    ["http-429-workspace-credits.json", "quota", 429],
    ["http-500.json", "upstream_status", 502],
    ["http-503-server_is_overloaded.json", "overloaded", 503],
    ["http-503-slow_down.json", "overloaded", 503],
  ])("%s is %s", (name, kind, status) => {
    expect(recorded(name)).toMatchObject({ kind, status });
  });

  test("every recorded refusal has a message and shows no HTML", () => {
    for (const name of readdirSync(RECORDED).filter((each) => each.startsWith("http-"))) {
      expect(recorded(name).message).toMatch(/^[^<>]{3,}$/);
    }
  });

  test("a usage limit tells when it opens again and keeps upstream's object", () => {
    const failure = recorded("http-429-usage_limit_reached.json");
    expect(failure).toMatchObject({
      code: "usage_limit_reached",
      resetsAt: 1795386574,
      retryAfter: 7200,
      details: { upstream: { type: "usage_limit_reached", plan_type: "plus", resets_in_seconds: 7200 } },
    });
    expect(failure.message).toBe(
      "The usage limit of the plus plan has been reached; it resets in 2 h 0 min (2026-11-22T22:29:34Z)",
    );
  });

  test("the edge's page is explained with its ray id", () => {
    const failure = read(403, "<!DOCTYPE html><html>Just a moment", { "cf-ray": "abc-FRA" });
    expect(failure.message).toContain("abc-FRA");
    expect(failure.message).toContain("edge");
  });

  test("an unknown model is told with those there are", () => {
    const failure = read(
      400,
      { detail: "The 'x' model is not supported when using Codex with a ChatGPT account." },
      {},
      "x",
    );
    expect(failure.message).toContain("Available models: gpt-5.5, gpt-6-sol");
    expect(failure).toMatchObject({ code: "model_not_found", param: "model" });
  });

  test.each([
    [400, { detail: "Instructions are required" }, "Instructions are required"],
    [422, { detail: [{ loc: ["body"], msg: "field required" }] }, "field required"],
    [400, { error: "plain" }, "plain"],
    [500, "not json", "not json"],
    [500, "", "upstream answered with status 500"],
    [400, [1], "upstream answered with status 400"],
  ])("%i %j says %s", (status, body, message) => {
    expect(read(status, body).message).toBe(message);
  });

  test("a newer client version being required names the setting", () => {
    expect(read(400, { detail: "The 'x' model requires a newer version of Codex. Please upgrade" }).message).toContain(
      "CODEX_API_PROXY_CLIENT_VERSION",
    );
  });

  test("a redirect is named, a page about size is a request that is too large", () => {
    expect(read(302, "<html>moved", { location: "https://evil.example" })).toMatchObject({
      kind: "upstream_status",
      status: 502,
      message: expect.stringContaining("redirects"),
    });
    expect(read(413, "<html>too large")).toMatchObject({ kind: "too_large", status: 413 });
  });

  test("a usage limit in a 404 is a usage limit", () => {
    expect(read(404, { detail: "usage_limit_reached: try later" })).toMatchObject({ kind: "usage_limit", status: 429 });
  });

  test.each([
    ["7", 7],
    [new Date(NOW + 30_000).toUTCString(), 30],
    ["soon", undefined],
  ])("retry-after %s", (value, seconds) => {
    expect(read(503, {}, { "retry-after": value }).retryAfter).toBe(seconds);
  });

  test("a quoted credential does not get through", () => {
    const text = read(401, {
      error: { message: "Incorrect API key provided: sk-abc123def456 and eyJhbGciOi.xx" },
    }).message;
    expect(text).not.toMatch(/sk-abc|eyJhb/);
  });
});

describe("failureOfConnection", () => {
  const open = new AbortController().signal;
  test("names the code, also of an inner cause, and no address", () => {
    const cause = new TypeError("fetch failed to 10.0.0.1", {
      cause: Object.assign(new Error("x"), { code: "ENOTFOUND" }),
    });
    const failure = failureOfConnection(cause, open);
    expect(failure).toMatchObject({ kind: "upstream_unreachable", status: 502 });
    expect(failure.message).toContain("ENOTFOUND");
    expect(failure.message).not.toContain("10.0.0.1");
  });

  test("a timeout is a timeout, an abort is the client's", () => {
    expect(failureOfConnection(new DOMException("", "TimeoutError"), open).kind).toBe("upstream_timeout");
    expect(failureOfConnection(new Error("aborted"), AbortSignal.abort()).kind).toBe("cancelled");
    const reason = new ProxyError("upstream_timeout", "idle");
    expect(failureOfConnection(new Error("aborted"), AbortSignal.abort(reason))).toBe(reason);
  });
});
