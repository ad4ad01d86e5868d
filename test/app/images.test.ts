import { describe, expect, it } from "vitest";
import { useApp } from "./support/app.ts";

const app = useApp();

describe("POST /v1/images", () => {
  it("makes pictures through the image tool", async () => {
    const response = await app.post("/v1/images/generations", {
      model: "gpt-image-1",
      prompt: "[[image]] a fox",
      n: 2,
      size: "1024x1024",
    });
    const body = (await response.json()) as { data: { b64_json: string }[]; usage: { total_tokens: number } };
    expect([response.status, body.data?.length]).toEqual([200, 2]);
    expect(body.data[0]?.b64_json).toMatch(/^[A-Za-z0-9+/=]+$/);
    expect(body.usage.total_tokens).toBeGreaterThan(0);
    const sent = app.upstream.requestsTo("/backend-api/codex/responses")[0]?.json as { tools: object[] };
    expect(sent.tools).toEqual([{ type: "image_generation", size: "1024x1024" }]);
  });

  it("edits a picture given in a form", async () => {
    const form = new FormData();
    form.set("prompt", "[[image]] make it blue");
    form.set("image", new File([Uint8Array.from([137, 80, 78, 71])], "a.png", { type: "image/png" }));
    const encoded = new Request("http://127.0.0.1:8765/v1/images/edits", { method: "POST", body: form });
    const bytes = await encoded.clone().arrayBuffer();
    const headers = {
      host: "127.0.0.1:8765",
      "content-type": encoded.headers.get("content-type") as string,
      "content-length": String(bytes.byteLength),
    };
    const response = await app.app.fetch(
      new Request("http://127.0.0.1:8765/v1/images/edits", { method: "POST", body: bytes, headers }),
    );
    expect([response.status, await response.json()]).toMatchObject([200, { data: [{ b64_json: expect.any(String) }] }]);
    const sent = JSON.stringify(app.upstream.requestsTo("/backend-api/codex/responses").at(-1)?.json);
    expect(sent).toContain("data:image/png;base64,iVBORw==");
  });

  it("names the parameter that is wrong", async () => {
    for (const [body, param] of [
      [{}, "prompt"],
      [{ prompt: "x", n: 0 }, "n"],
      [{ prompt: "x", response_format: "url" }, "response_format"],
      [{ prompt: "x", stream: true }, "stream"],
    ] as const) {
      const response = await app.post("/v1/images/generations", body);
      expect([response.status, ((await response.json()) as { error: { param: string } }).error.param]).toEqual([
        400,
        param,
      ]);
    }
    expect((await app.post("/v1/images/edits", { prompt: "x" })).status).toBe(400);
  });

  it("tells why there is no picture", async () => {
    app.upstream.script("/backend-api/codex/responses", { text: "I will not draw that." });
    const response = await app.post("/v1/images/generations", { prompt: "a fox" });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { message: expect.stringContaining("I will not draw that.") } },
    ]);
  });
});
