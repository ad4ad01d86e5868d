import { describe, expect, it } from "vitest";
import { useApp } from "./support/app.ts";

const chatgpt = useApp();
const apiKey = useApp("apikey");

describe("GET /v1/models", () => {
  it("gives OpenAI's list, sorted by id", async () => {
    const { object, data } = await (await chatgpt.get("/v1/models")).json();
    const ids = data.map((model: { id: string }) => model.id);
    expect([object, ids]).toEqual(["list", [...ids].sort()]);
    expect(ids).not.toContain("codex-auto-review");
  });

  it("gives a Codex client upstream's own catalogue and its ETag, for the version it states", async () => {
    const response = await chatgpt.get("/v1/models?client_version=0.154.0");
    expect([response.status, response.headers.get("etag")]).toEqual([200, 'W/"etag-models-1"']);
    const { models } = await response.json();
    expect(models.find((model: { slug: string }) => model.slug === "gpt-5.5")).toHaveProperty("base_instructions");
    expect(models.some((model: { slug: string }) => model.slug === "gpt-6-luna")).toBe(false);
    expect(chatgpt.upstream.requests.map((request) => request.query)).toEqual([{ client_version: "0.154.0" }]);
  });

  it("tells it what upstream says of a version it cannot read", async () => {
    const response = await chatgpt.get("/v1/models?client_version=latest");
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { message: expect.stringContaining("Invalid client_version") } },
    ]);
  });

  it("gives OpenAI's own list to all when an API key is in use", async () => {
    const { object } = await (await apiKey.get("/v1/models?client_version=0.169.0")).json();
    expect(object).toBe("list");
  });
});
