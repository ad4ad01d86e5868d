import { describe, expect, test } from "vitest";
import { silentLog } from "../../../src/observability/log.ts";
import type { UpstreamFetch } from "../../../src/platform.ts";
import { createCatalogue, readModels } from "../../../src/upstream/models.ts";
import { API_KEY, CHATGPT, failing, fakeClock, fakeMetrics, MODELS, makeConfig, scripted, session } from "./support.ts";

const list = (...slugs: string[]) =>
  failing(200, { models: slugs.map((slug, at) => ({ slug, priority: at, visibility: "list" })) });

function make(
  answers: Parameters<typeof scripted>[0] | UpstreamFetch,
  ttl = 300,
  credentials: Parameters<typeof session>[0] = CHATGPT,
) {
  const script = typeof answers === "function" ? { fetch: answers, calls: [] } : scripted(answers);
  const clock = fakeClock(true);
  const metrics = fakeMetrics();
  const config = makeConfig({ modelsCacheTtl: ttl });
  const logins = session(credentials, [{ ...CHATGPT, accessToken: "access-2" }]);
  const catalogue = createCatalogue({ config, fetch: script.fetch, session: logins, clock, log: silentLog, metrics });
  return { catalogue, calls: script.calls, clock, metrics };
}
const slugs = (models: readonly { slug: string }[]) => models.map((model) => model.slug);

describe("readModels", () => {
  test("reads the real catalogue by priority", () => {
    expect(slugs(MODELS).slice(0, 3)).toEqual(["gpt-6.1-sol", "gpt-6-astra", "gpt-6-sol"]);
    expect(MODELS.find((model) => model.slug === "gpt-5.5")).toMatchObject({
      listed: true,
      usesResponsesLite: false,
      contextWindow: 272000,
      efforts: ["low", "medium", "high", "xhigh"],
      serviceTiers: ["priority"],
    });
    expect(MODELS.filter((model) => !model.listed).map((model) => model.slug)).toContain("codex-auto-review");
  });

  test("entries without a slug are left out, no catalogue at all is a protocol error", () => {
    expect(
      readModels({ models: [null, {}, { slug: "a", supported_in_api: false, visibility: "list" }] }),
    ).toMatchObject([{ slug: "a", listed: false, displayName: "a" }]);
    expect(() => readModels({})).toThrow("no `models`");
  });
});

describe("createCatalogue", () => {
  test("asks with the client version and keeps the list for its time", async () => {
    const { catalogue, calls, clock, metrics } = make([list("a"), list("b")]);
    expect(await catalogue.platformList()).toBeUndefined();
    expect(calls).toHaveLength(0);
    expect(slugs(await catalogue.models())).toEqual(["a"]);
    expect(calls[0]?.url).toBe("https://chatgpt.com/backend-api/codex/models?client_version=0.169.0");
    clock.time += 299_000;
    await catalogue.models();
    expect(calls).toHaveLength(1);
    clock.time += 2_000;
    expect(slugs(await catalogue.models())).toEqual(["b"]);
    expect(metrics.cache).toEqual([false, true, false]);
  });

  test("refresh passes the cache by and fills it, ttl 0 has none", async () => {
    const { catalogue, calls } = make([list("a"), list("b")]);
    await catalogue.models();
    expect(slugs(await catalogue.models({ refresh: true }))).toEqual(["b"]);
    await catalogue.models();
    expect(calls).toHaveLength(2);
    const uncached = make([list("a")], 0);
    await uncached.catalogue.models();
    await uncached.catalogue.models();
    expect(uncached.calls).toHaveLength(2);
  });

  test("many at once are one fetch", async () => {
    const { catalogue, calls } = make([list("a")]);
    await Promise.all(Array.from({ length: 20 }, () => catalogue.models()));
    expect(calls).toHaveLength(1);
  });

  test("an older list stands in for a failing upstream; without one the failure is told", async () => {
    const { catalogue, clock } = make([list("a"), failing(500, {})]);
    await catalogue.models();
    clock.time += 400_000;
    expect(slugs(await catalogue.models())).toEqual(["a"]);
    await expect(make([failing(500, {})]).catalogue.models()).rejects.toMatchObject({ kind: "upstream_status" });
    await expect(make([new Error("down")]).catalogue.models()).rejects.toMatchObject({ kind: "upstream_unreachable" });
    await expect(make([failing(200, "<p>")]).catalogue.models()).rejects.toMatchObject({ kind: "upstream_protocol" });
  });

  test("a 401 recovers the login once", async () => {
    const { catalogue, calls } = make([failing(401, {}), list("a")]);
    expect(slugs(await catalogue.models())).toEqual(["a"]);
    expect(calls.map((call) => call.request.headers.authorization)).toEqual(["Bearer access-1", "Bearer access-2"]);
  });

  test("requests look into a list of any age without waiting; it is renewed beside them", async () => {
    const { catalogue, calls, clock } = make([list("a"), list("b")]);
    expect(await catalogue.find("a")).toMatchObject({ slug: "a" });
    clock.time += 10 * 60_000;
    expect(slugs(catalogue.known() as readonly { slug: string }[])).toEqual(["a"]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toHaveLength(2);
    expect(await catalogue.find("b")).toMatchObject({ slug: "b" });
  });

  test("requests go on without a list when there is none, and do not ask again at once", async () => {
    const { catalogue, calls } = make([failing(500, {})]);
    expect(await catalogue.find("a")).toBeUndefined();
    expect(await catalogue.known()).toEqual([]);
    expect(calls).toHaveLength(1);
  });

  test("in API-key mode OpenAI's list passes through", async () => {
    const body = { object: "list", data: [{ id: "gpt-4o", object: "model", created: 1, owned_by: "openai" }] };
    const { catalogue, calls } = make([failing(200, body)], 300, API_KEY);
    expect(await catalogue.platformList()).toEqual(body);
    expect(await catalogue.models()).toEqual([]);
    expect(calls.map((call) => call.url)).toEqual(["https://api.openai.com/v1/models"]);
  });

  test("an answer's new ETag has the list renewed beside it, once", async () => {
    const tagged = (etag: string) => failing(200, { models: [{ slug: etag, visibility: "list" }] }, { etag });
    const { catalogue, calls, clock } = make([tagged("one"), tagged("two")]);
    const seen = async (etag: string | null) => {
      catalogue.seeEtag(etag);
      await new Promise((resolve) => setImmediate(resolve));
      return calls.length;
    };
    expect(await seen("two")).toBe(0);
    await catalogue.models();
    expect(await seen("two")).toBe(1);
    clock.time += 40_000;
    expect(await seen("one")).toBe(1);
    expect(await seen(null)).toBe(1);
    expect(await seen("two")).toBe(2);
    expect(slugs(catalogue.known() as readonly { slug: string }[])).toEqual(["two"]);
    clock.time += 40_000;
    // A list whose own ETag is another is not fetched again and again.
    expect(await seen("three")).toBe(3);
    clock.time += 40_000;
    expect(await seen("three")).toBe(3);
  });

  test("a Codex client gets upstream's own list for its version, never from the cache", async () => {
    const body = { models: [{ slug: "a", base_instructions: "You are" }] };
    const answer = failing(200, body, { etag: 'W/"1"' });
    const { catalogue, calls } = make([failing(401, {}), answer, failing(200, "<p>")]);
    expect(await catalogue.codexList("0.170.1")).toEqual({ text: JSON.stringify(body), etag: 'W/"1"' });
    expect(calls[1]?.url).toBe("https://chatgpt.com/backend-api/codex/models?client_version=0.170.1");
    await expect(catalogue.codexList("0.170.1")).rejects.toMatchObject({ kind: "upstream_protocol" });
    expect(await make([], 300, API_KEY).catalogue.codexList("0.170.1")).toBeUndefined();
  });
});
