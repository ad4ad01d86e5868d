import { describe, expect, it } from "vitest";
import { useApp } from "../app/support/app.ts";
import { expectLegal, type Json } from "./expect-legal.ts";

const UPSTREAM = "/backend-api/codex/responses";

describe("models", () => {
  const app = useApp();
  it("lists them, and gives one by id, alias or effort suffix", async () => {
    const list = expectLegal("ListModelsResponse", await (await app.get("/v1/models")).json());
    expect(list.data.length).toBeGreaterThan(1);
    for (const id of [...list.data.map((model: Json) => model.id), "gpt-6.1-sol-high"]) {
      expect(expectLegal("Model", await (await app.get(`/v1/models/${id}`)).json()).id).toBe(id);
    }
  });
});

describe("models in API-key mode", () => {
  const app = useApp("apikey");
  it("passes OpenAI's own list", async () => {
    const list = expectLegal("ListModelsResponse", await (await app.get("/v1/models")).json());
    expectLegal("Model", await (await app.get(`/v1/models/${list.data[0].id}`)).json());
  });
});

describe("images", () => {
  const app = useApp();
  it.each([
    ["a picture", {}],
    ["several", { n: 2 }],
    ["what is left to the model", { size: "auto", quality: "auto", background: "auto", moderation: "low" }],
    ["every parameter", { size: "1024x1024", quality: "low", background: "opaque", output_format: "webp", user: "u" }],
  ])("%s", async (_name, body) => {
    const response = await app.post("/v1/images/generations", { model: "gpt-image-1", prompt: "A cat.", ...body });
    const answer = expectLegal("ImagesResponse", await response.json());
    expect([response.status, answer.data.length]).toEqual([200, "n" in body ? body.n : 1]);
  });
});

describe("errors", () => {
  const app = useApp();
  it.each([
    ["/v1/chat/completions", "{"],
    ["/v1/chat/completions", {}],
    ["/v1/chat/completions", { model: "gpt-5.5", messages: [{ role: "user", content: 7 }] }],
    ["/v1/chat/completions", { model: "gpt-3", messages: [{ role: "user", content: "hi" }] }],
    ["/v1/responses", "[]"],
    ["/v1/responses", { input: "hi" }],
    ["/v1/responses", { model: "gpt-5.5", input: "hi", background: true }],
    ["/v1/responses", { model: "gpt-5.5", input: "hi", previous_response_id: "resp_gone" }],
    ["/v1/responses", { model: "gpt-5.5", input: [{ type: "item_reference", id: "msg_gone" }] }],
    ["/v1/responses", { model: "gpt-5.5", input: 7 }],
    ["/v1/responses/compact", { model: "gpt-5.5", input: 7 }],
    ["/v1/responses/input_tokens", { model: "gpt-5.5", input: 7 }],
    ["/v1/responses/resp_gone/cancel", {}],
    ["/v1/images/generations", {}],
    ["/v1/images/generations", { prompt: "A cat.", stream: true }],
    ["/v1/images/edits", { prompt: "A cat." }],
    ["/v1/completions", { model: "gpt-5.5", prompt: "hi" }],
    ["/v1/embeddings", { model: "x", input: "hi" }],
    ["/v1/nothing", {}],
    ["/v1/models", {}],
  ])("POST %s %j", async (path, body) => {
    const response = await app.post(path, body);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expectLegal("ErrorResponse", await response.json());
  });

  it.each(["/v1/models/none", "/v1/responses/resp_gone", "/v1/responses/resp_gone/input_items", "/v1/responses"])(
    "GET %s",
    async (path) => {
      const response = await app.get(path);
      expect(response.status).toBeGreaterThanOrEqual(400);
      expectLegal("ErrorResponse", await response.json());
    },
  );

  it.each([
    "http-400-context-length.json",
    "http-400-invalid-request.json",
    "http-400-model-not-supported.json",
    "http-401-token_invalidated.json",
    "http-403-cloudflare.json",
    "http-403.json",
    "http-429-rate-limit.json",
    "http-429-usage_limit_reached.json",
    "http-429-usage_not_included.json",
    "http-429-workspace-credits.json",
    "http-500.json",
    "http-503-server_is_overloaded.json",
    "http-503-slow_down.json",
  ])("upstream's %s", async (fixture) => {
    for (const [path, body] of [
      ["/v1/chat/completions", { model: "gpt-5.5", messages: [{ role: "user", content: "hi" }] }],
      ["/v1/responses", { model: "gpt-5.5", input: "hi" }],
      ["/v1/images/generations", { prompt: "A cat." }],
    ] as const) {
      for (const stream of [false, true]) {
        if (stream && path === "/v1/images/generations") continue;
        app.upstream.reset();
        app.upstream.script(UPSTREAM, { fixture, times: 9 });
        const response = await app.post(path, { ...body, stream });
        expect(response.status).toBeGreaterThanOrEqual(400);
        expectLegal("ErrorResponse", await response.json());
      }
    }
  });
});
