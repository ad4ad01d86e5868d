import { describe, expect, it } from "vitest";
import { useApp } from "./support/app.ts";

const app = useApp();
const MODELS = ["gpt-5.5", "gpt-6.1-sol", "gpt-6-luna"];

describe("one request end to end", () => {
  for (const model of MODELS) {
    it(`answers a chat completion with ${model}`, async () => {
      const response = await app.post("/v1/chat/completions", {
        model,
        messages: [{ role: "user", content: "hello" }],
      });
      const body = (await response.json()) as {
        choices: { message: { content: string }; finish_reason: string }[];
        model: string;
      };
      expect([response.status, body]).toMatchObject([200, { model, choices: [{ finish_reason: "stop" }] }]);
      expect(body.choices[0]?.message.content).toContain("hello");
    });

    it(`streams a chat completion with ${model}`, async () => {
      const response = await app.post("/v1/chat/completions", {
        model,
        stream: true,
        messages: [{ role: "user", content: "hello" }],
      });
      const text = await response.text();
      expect(text).toContain('"finish_reason":"stop"');
      expect(text.trimEnd().endsWith("data: [DONE]")).toBe(true);
    });

    it(`answers a message with ${model}`, async () => {
      const response = await app.post("/v1/messages", {
        model,
        max_tokens: 100,
        messages: [{ role: "user", content: "hello" }],
      });
      expect([response.status, await response.json()]).toMatchObject([
        200,
        { type: "message", stop_reason: "end_turn" },
      ]);
    });

    it(`streams a message with ${model}`, async () => {
      const response = await app.post("/v1/messages", {
        model,
        stream: true,
        max_tokens: 100,
        messages: [{ role: "user", content: "hello" }],
      });
      expect((await response.text()).trimEnd()).toMatch(/event: message_stop\ndata: .*$/);
    });

    it(`answers a response with ${model}`, async () => {
      const response = await app.post("/v1/responses", { model, input: "hello" });
      expect([response.status, await response.json()]).toMatchObject([
        200,
        { object: "response", status: "completed" },
      ]);
    });

    it(`streams a response with ${model}`, async () => {
      const response = await app.post("/v1/responses", { model, input: "hello", stream: true });
      expect(await response.text()).toContain("event: response.completed\n");
    });
  }

  it("says who it is at /, also to HEAD", async () => {
    expect(await (await app.get("/")).json()).toEqual({ name: "codex-api-proxy", version: "0.0.0-test" });
    const head = await app.app.fetch(new Request("http://127.0.0.1:8765/", { method: "HEAD" }));
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });
});
