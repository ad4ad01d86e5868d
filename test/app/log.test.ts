import { describe, expect, it } from "vitest";
import { useApp } from "./support/app.ts";

const app = useApp();
const ask = { model: "gpt-5.5", messages: [{ role: "user", content: "hello" }] };
const events = () => app.logged.map((line) => line.split(" ")[2]);

describe("the log of a request", () => {
  it("has one access line with model, tokens and times, and the original's latency lines", async () => {
    app.restart();
    await (await app.post("/v1/chat/completions", { ...ask, stream: true }, { "x-request-id": "req-1" })).text();
    await expect.poll(events).toContain("chat_completion_latency");
    expect(events()).toEqual([
      "request",
      "chat_completion_upstream_headers",
      "chat_completion_first_content_sse",
      "chat_completion_latency",
    ]);
    expect(JSON.parse((app.logged[0] as string).replace(/^\S+ \S+ \S+ /, ""))).toMatchObject({
      request_id: "req-1",
      method: "POST",
      route: "/v1/chat/completions",
      status: 200,
      model: "gpt-5.5",
      upstream_model: "gpt-5.5",
      stream: true,
      tokens_in: expect.any(Number),
      tokens_cached: expect.any(Number),
      tokens_out: expect.any(Number),
      first_byte_ms: expect.any(Number),
      total_ms: expect.any(Number),
      cancelled: false,
    });
  });

  it("names the route of a request that was refused at the door", async () => {
    app.restart();
    await app.post("/v1/messages", { ...ask, max_tokens: 50 }, { host: "evil.example" });
    await expect.poll(events).toContain("request");
    expect(app.logged[0]).toContain('"route":"/v1/messages","status":403');
  });

  it("tells a stream that broke off as an error though its status was 200", async () => {
    app.restart();
    app.upstream.script("/backend-api/codex/responses", { cut: "mid-event", afterEvents: 6, times: 5 });
    await (await app.post("/v1/messages", { ...ask, max_tokens: 50, stream: true })).text();
    await expect.poll(events).toContain("anthropic_message_latency");
    expect(app.logged.join("\n")).toMatch(/anthropic_message_latency .*"status":"error"/);
  });

  it("has what was asked and answered with debug logging, never a token", async () => {
    app.restart({ logLevel: "debug" });
    await (await app.post("/v1/chat/completions", { ...ask, stream: true })).text();
    await expect.poll(events).toContain("chat_completion_output_message");
    expect(app.logged.join("\n")).toContain("chat_completion_input_messages");
    expect(app.logged.join("\n")).not.toMatch(/eyJ[\w-]+\.|rt_/);
  });
});
