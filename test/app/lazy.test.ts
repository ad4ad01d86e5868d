import { describe, expect, it, vi } from "vitest";
import { createApi } from "../../src/api.ts";
import { useApp } from "./support/app.ts";

vi.mock(import("../../src/api.ts"), async (load) => {
  const actual = await load();
  return { createApi: vi.fn(actual.createApi) };
});

describe("an app that has just started", () => {
  const test = useApp();

  it("answers /health without the rest", async () => {
    test.restart();
    vi.mocked(createApi).mockClear();
    for (let i = 0; i < 2; i++) expect((await test.get("/health")).status).toBe(200);
    expect(createApi).not.toHaveBeenCalled();
    expect((await test.get("/v1/models")).status).toBe(200);
    test.app.warm();
    expect((await test.get("/v1/models")).status).toBe(200);
    expect((await test.get("/nowhere")).status).toBe(404);
    expect(createApi).toHaveBeenCalledTimes(1);
  });

  it("loads the rest once for requests that come together", async () => {
    test.restart();
    vi.mocked(createApi).mockClear();
    const answers = await Promise.all([test.get("/v1/models"), test.get("/nowhere"), test.get("/ready")]);
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 200]);
    expect(createApi).toHaveBeenCalledTimes(1);
  });

  it("says so when the rest cannot be loaded, and tries again", async () => {
    test.restart();
    const broken = (): never => {
      throw Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
    };
    vi.mocked(createApi).mockImplementationOnce(broken).mockImplementationOnce(broken);
    const response = await test.get("/v1/models");
    expect([response.status, await response.json()]).toEqual([
      500,
      { error: { message: expect.any(String), type: "server_error", param: null, code: "internal_error" } },
    ]);
    expect(test.logged.join("\n")).toMatch(/server error internal_error .*EMFILE/);
    expect((await test.get("/v1/models")).status).toBe(200);
  });
});
