import { describe, expect, it } from "vitest";
import { failureOf } from "../../../../src/canonical/failure.ts";
import { toErrorBody, toErrorStatus } from "../../../../src/dialects/messages/errors.ts";
import { type ErrorKind, ProxyError, type ProxyErrorOptions } from "../../../../src/errors.ts";

const told = (kind: ErrorKind, options: ProxyErrorOptions = {}, message = "text") => {
  const error = new ProxyError(kind, message, options);
  const body = toErrorBody(error, "req_1") as { error: { type: string; message: string; details?: unknown } };
  return { status: toErrorStatus(error), ...body.error };
};

describe("toErrorBody", () => {
  it("is the API's envelope with the request id", () => {
    expect(toErrorBody(new ProxyError("unauthorized", "unauthorized"), "req_1")).toEqual({
      type: "error",
      error: { type: "authentication_error", message: "unauthorized" },
      request_id: "req_1",
    });
  });

  it.each<[ErrorKind, number, string]>([
    ["invalid_request", 400, "invalid_request_error"],
    ["unauthorized", 401, "authentication_error"],
    ["forbidden", 403, "permission_error"],
    ["not_found", 404, "not_found_error"],
    ["model_not_found", 404, "not_found_error"],
    ["too_large", 413, "request_too_large"],
    ["content_policy", 400, "invalid_request_error"],
    ["login_expired", 401, "authentication_error"],
    ["usage_limit", 429, "rate_limit_error"],
    ["rate_limit", 429, "rate_limit_error"],
    ["quota", 402, "billing_error"],
    ["overloaded", 529, "overloaded_error"],
    ["upstream_unreachable", 502, "api_error"],
    ["upstream_timeout", 504, "timeout_error"],
    ["internal", 500, "api_error"],
  ])("%s is %i %s", (kind, status, type) => {
    expect(told(kind)).toMatchObject({ status, type });
  });

  it("a status of upstream's that is passed on has its own type", () => {
    expect(told("upstream_status", { status: 403 })).toMatchObject({ status: 403, type: "permission_error" });
    expect(told("upstream_status")).toMatchObject({ status: 502, type: "api_error" });
  });

  it.each<[ProxyErrorOptions, string]>([
    [{ details: { tokens: 300_123, limit: 272_000 } }, "prompt is too long: 300123 tokens > 272000 maximum"],
    [{ details: { limit: 272_000 } }, "prompt is too long: 272001 tokens > 272000 maximum"],
    [{ details: { tokens: 300_123 } }, "prompt is too long: 300123 tokens > 300122 maximum"],
    [{}, "prompt is too long: 272001 tokens > 272000 maximum"],
  ])("an overflow with %j is the sentence that Claude Code compacts on", (options, message) => {
    expect(told("context_overflow", options)).toMatchObject({ status: 400, type: "invalid_request_error", message });
  });

  it("an overflow's numbers are taken from upstream's text", () => {
    const message = "maximum context length is 272,000 tokens, but your messages resulted in 300,123 tokens";
    const error = failureOf({ code: "context_length_exceeded", message });
    expect(toErrorBody(error, "r")).toMatchObject({
      error: { message: "prompt is too long: 300123 tokens > 272000 maximum" },
    });
  });

  it.each<[ProxyErrorOptions, string]>([
    [{ resetsAt: 1_795_390_000 }, "The usage limit has been reached. It resets at 2026-11-22 23:26 UTC."],
    [{ retryAfter: 5_400 }, "The usage limit has been reached. It resets in 1 h 30 min."],
    [{}, "The usage limit has been reached."],
  ])("a used-up plan with %j says when it opens again", (options, message) => {
    expect(told("usage_limit", options, "The usage limit has been reached").message).toBe(message);
  });

  it("a code for programs is in details", () => {
    expect(told("not_found", { details: { error_code: "thread_not_found" } }).details).toEqual({
      error_code: "thread_not_found",
    });
  });
});
