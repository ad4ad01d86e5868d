import { describe, expect, it } from "vitest";
import { chatDialect } from "../../../../src/dialects/chat/index.ts";
import { type ErrorKind, ProxyError, type ProxyErrorOptions } from "../../../../src/errors.ts";

describe("toErrorBody", () => {
  const cases: [kind: ErrorKind, options: ProxyErrorOptions, type: string, code: string | null, status: number][] = [
    ["invalid_request", {}, "invalid_request_error", null, 400],
    ["invalid_request", { code: "unsupported_value" }, "invalid_request_error", "unsupported_value", 400],
    ["unauthorized", {}, "invalid_request_error", "invalid_api_key", 401],
    ["forbidden", {}, "permission_error", null, 403],
    ["not_found", {}, "invalid_request_error", null, 404],
    ["method_not_allowed", {}, "invalid_request_error", "method_not_supported", 405],
    ["too_large", {}, "invalid_request_error", "request_too_large", 413],
    ["unsupported", {}, "invalid_request_error", "unsupported", 501],
    ["model_not_found", { code: "whatever" }, "invalid_request_error", "model_not_found", 404],
    ["context_overflow", {}, "invalid_request_error", "context_length_exceeded", 400],
    ["content_policy", {}, "invalid_request_error", "content_policy_violation", 400],
    ["content_policy", { code: "cyber_policy" }, "invalid_request_error", "cyber_policy", 400],
    ["credentials", {}, "server_error", "credentials_unavailable", 503],
    ["login_expired", {}, "authentication_error", "login_expired", 401],
    ["usage_limit", { code: "usage_limit_reached" }, "insufficient_quota", "insufficient_quota", 429],
    ["rate_limit", {}, "rate_limit_error", "rate_limit_exceeded", 429],
    ["quota", { code: "usage_not_included" }, "insufficient_quota", "insufficient_quota", 429],
    ["overloaded", {}, "server_error", "server_is_overloaded", 503],
    ["upstream_status", { status: 418, code: "teapot" }, "invalid_request_error", "teapot", 418],
    ["upstream_status", { status: 500 }, "server_error", null, 500],
    ["upstream_unreachable", {}, "server_error", "upstream_unreachable", 502],
    ["upstream_timeout", {}, "server_error", "upstream_timeout", 504],
    ["upstream_protocol", {}, "server_error", "upstream_protocol", 502],
    ["internal", {}, "server_error", "internal_error", 500],
  ];
  it.each(cases)("names %s %j", (kind, options, type, code, status) => {
    const error = new ProxyError(kind, "what happened", options);
    expect(chatDialect.toErrorBody(error, "req")).toEqual({
      error: { message: "what happened", type, param: null, code },
    });
    expect(chatDialect.toErrorStatus(error)).toBe(status);
  });

  it("names the parameter", () => {
    const error = new ProxyError("invalid_request", "no", { param: "messages[0].content" });
    expect(chatDialect.toErrorBody(error, "")).toMatchObject({ error: { param: "messages[0].content" } });
  });

  it("says when a used-up plan opens again", () => {
    const error = new ProxyError("usage_limit", "The usage limit has been reached", { resetsAt: 1_795_378_814 });
    expect(chatDialect.toErrorBody(error, "")).toMatchObject({
      error: { message: "The usage limit has been reached. It resets at 2026-11-22T20:20:14Z." },
    });
    const told = new ProxyError("usage_limit", "The limit; it resets in 2 h", { resetsAt: 1_795_378_814 });
    expect(chatDialect.toErrorBody(told, "")).toMatchObject({ error: { message: "The limit; it resets in 2 h" } });
  });
});
