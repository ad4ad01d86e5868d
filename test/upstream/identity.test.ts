import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { readFixtureJson } from "./fixtures.ts";
import { classicBody, LITE, liteBody, postSeat, seatHeaders } from "./helpers.ts";
import { DEFAULT_API_KEY, DEFAULT_PAT, mintIdToken, mintToken, startUpstream, type Upstream } from "./index.ts";
import { isObject, type JsonObject } from "./json.ts";

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => upstream.reset());
afterAll(() => upstream.close());

describe("bearer", () => {
  const code = async (token: string | undefined) => {
    const response = await postSeat(
      upstream,
      {},
      { authorization: token === undefined ? undefined : `Bearer ${token}` },
    );
    const body = (await response.json()) as { error?: { code: string }; detail?: string };
    return [response.status, body.error?.code ?? body.detail];
  };

  test("is judged before the body", async () => {
    const revoked = mintToken();
    const invalidated = mintToken();
    upstream.tokens.revoked.add(revoked);
    upstream.tokens.invalidated.add(invalidated);
    expect(await code(undefined)).toEqual([401, "Unauthorized"]);
    expect(await code(mintToken({ expiresIn: -1 }))).toEqual([401, "token_expired"]);
    expect(await code(revoked)).toEqual([401, "token_revoked"]);
    expect(await code(invalidated)).toEqual([401, "token_invalidated"]);
    expect(await code("made-up")).toEqual([401, "token_invalidated"]);
    expect(await code(mintIdToken())).toEqual([401, "token_invalidated"]);
    expect(await code(DEFAULT_API_KEY)).toEqual([401, "token_invalidated"]);
    expect(await code(mintToken())).toEqual([400, "Model is required"]);
    expect(await code(DEFAULT_PAT)).toEqual([400, "Model is required"]);
  });

  test("belongs to the account of the header, which may be absent", async () => {
    expect((await postSeat(upstream, classicBody(), { "chatgpt-account-id": "other" })).status).toBe(403);
    expect((await postSeat(upstream, classicBody(), { "chatgpt-account-id": undefined })).status).toBe(200);
    const other = { authorization: `Bearer ${mintToken({ account: "other" })}`, "chatgpt-account-id": "other" };
    expect((await postSeat(upstream, classicBody(), other)).status).toBe(200);
  });
});

describe("client identity", () => {
  test.each([
    ["no originator", { originator: undefined }],
    ["another originator", { originator: "opencode" }],
    ["a User-Agent of another program", { "user-agent": "undici" }],
    ["a User-Agent of another originator", { "user-agent": "codex_exec/0.169.0 (x)" }],
  ])("%s does not find Luna, though other models", async (_name, headers) => {
    expect((await postSeat(upstream, liteBody(), { ...LITE, ...headers })).status).toBe(404);
    expect((await postSeat(upstream, classicBody(), headers)).status).toBe(200);
  });

  test("an old version is told to upgrade", async () => {
    const old = { ...LITE, "user-agent": "codex_cli_rs/0.140.0 (x)" };
    expect(await (await postSeat(upstream, liteBody(), old)).text()).toContain("requires a newer version of Codex");
  });

  test("Accept and Content-Type are needed", async () => {
    expect((await postSeat(upstream, classicBody(), { accept: "application/json" })).status).toBe(406);
    expect((await postSeat(upstream, classicBody(), { "content-type": "text/plain" })).status).toBe(415);
  });
});

/** A zstd frame of one raw block, for up to 255 bytes: magic, single segment and its size, block header, bytes. */
function toZstd(bytes: Buffer): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, bytes.length, 0, 0, 0]);
  header.writeUIntLE((bytes.length << 3) | 1, 6, 3);
  return Buffer.concat([header, bytes]);
}

test("bodies may be gzip or zstd", async () => {
  const bytes = Buffer.from(JSON.stringify(classicBody()));
  for (const [encoding, body] of [
    ["gzip", gzipSync(bytes)],
    ["zstd", toZstd(bytes)],
  ] as const) {
    const headers = seatHeaders({ "content-encoding": encoding });
    const response = await fetch(`${upstream.chatgptBaseUrl}/responses`, {
      method: "POST",
      headers,
      body: new Uint8Array(body),
    });
    expect(response.status, encoding).toBe(200);
    expect(upstream.requests.at(-1)?.json).toEqual(classicBody());
  }
});

test("a body that is not what its encoding says is refused, not dropped", async () => {
  const response = await postSeat(upstream, classicBody(), { "content-encoding": "zstd" });
  expect([response.status, await response.text()]).toEqual([400, '{"detail":"Invalid JSON body"}']);
});

test("answers carry rate limits, turn state, models etag and the model", async () => {
  const { headers } = await postSeat(upstream, classicBody(), { "x-codex-turn-state": "ts-9" });
  expect(headers.get("x-codex-primary-used-percent")).toBe("12.5");
  expect(headers.get("x-codex-turn-state")).toBe("ts-9");
  expect(headers.get("openai-model")).toBe("gpt-5.5");
  expect(headers.get("x-models-etag")).toMatch(/^W\//);
});

test("the catalogue hides new models from old clients and takes a ChatGPT token or an API key", async () => {
  const list = async (version: string, bearer: string) => {
    const response = await fetch(`${upstream.chatgptBaseUrl}/models?client_version=${version}`, {
      headers: { authorization: `Bearer ${bearer}` },
    });
    const body = (await response.json()) as { models?: { slug: string }[] };
    return {
      status: response.status,
      etag: response.headers.get("etag"),
      slugs: body.models?.map((model) => model.slug),
    };
  };
  const now = await list("0.169.0", mintToken());
  expect(now).toMatchObject({ status: 200, etag: 'W/"etag-models-1"' });
  expect(now.slugs).toContain("gpt-6-luna");
  expect((await list("0.150.0", DEFAULT_API_KEY)).slugs).not.toContain("gpt-6-luna");
  expect((await list("0.169", mintToken())).status).toBe(400);
  expect((await list("0.169.0", "nobody")).status).toBe(401);
});

test("accounts and usage are for the token's own account", async () => {
  const headers = { authorization: `Bearer ${mintToken({ account: "acc", plan: "team" })}` };
  const accounts = await (await fetch(`${upstream.origin}/backend-api/wham/accounts/check`, { headers })).json();
  expect(accounts).toMatchObject({
    accounts: [{ id: "acc", plan_type: "team", account_routing_override: "NO_CONSTRAINT" }],
  });
  const usage = await (await fetch(`${upstream.origin}/backend-api/wham/usage`, { headers })).json();
  expect(usage).toMatchObject({ account_id: "acc", rate_limit: { primary_window: { used_percent: 12 } } });
});

/** Parts that were cut from a capture, filled in again. */
function restore(value: unknown, key = ""): unknown {
  if (key === "parameters" && typeof value === "string") return { type: "object", properties: {} };
  if (key === "schema" && typeof value === "string")
    return { type: "object", properties: {}, required: [], additionalProperties: false };
  if (key === "format" && typeof value === "string") return { type: "text" };
  if (key === "image_url") return "data:image/png;base64,AAAA";
  if (Array.isArray(value)) return value.map((entry) => restore(entry));
  return isObject(value)
    ? Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, restore(entry, name)]))
    : value;
}

test.each([
  "responses-classic-gpt-5.5",
  "responses-lite-gpt-6.1-sol",
  "responses-schema-image-priority",
  "responses-compaction-v2",
  "responses-personal-access-token",
])("the captured request %s is accepted", async (name) => {
  const capture = readFixtureJson(`requests/${name}.json`) as { headers: Record<string, string>; body: JsonObject };
  const {
    "x-openai-internal-codex-responses-lite": lite,
    "x-codex-turn-metadata": metadata,
    originator,
    "user-agent": agent,
  } = capture.headers;
  const body = restore(capture.body) as JsonObject;
  body.input = (body.input as JsonObject[]).filter((item) => item.type !== "reasoning" && item.type !== "compaction");
  const headers = {
    originator,
    "user-agent": agent,
    "x-codex-turn-metadata": metadata,
    "x-openai-internal-codex-responses-lite": lite,
  };
  const response = await postSeat(upstream, body, headers);
  expect(upstream.requests.at(-1)?.refusal).toBeUndefined();
  expect(response.status).toBe(200);
});
