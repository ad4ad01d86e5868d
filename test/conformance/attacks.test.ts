import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startChild } from "../support/child.ts";
import { ROOT, runtimes } from "../support/runtimes.ts";
import { cleanEnvironment, freePort, type RunningServer, startServer } from "../support/server.ts";
import { startUpstream, type Upstream, writeAuthFile } from "../upstream/index.ts";
import { dialects, type Json } from "./fault-dialects.ts";
import { descriptors, exchangeRaw, openRaw, residentBytes, statusesIn } from "./fault-process.ts";

const KEY = "first-key-0123456789";
const OTHER_KEY = "other-key-9876543210";
const PAGE = "https://evil.example";
const APP = "http://localhost:3000";
const MEGABYTE = 1024 * 1024;
const BODY_LIMIT = 8 * MEGABYTE;

const ROUTES: readonly [method: string, path: string][] = [
  ["GET", "/v1/models"],
  ["GET", "/models"],
  ["GET", "/v1/models/gpt-5.5"],
  ["POST", "/v1/chat/completions"],
  ["POST", "/chat/completions"],
  ["POST", "/v1/responses"],
  ["POST", "/v1/responses/compact"],
  ["POST", "/v1/responses/input_tokens"],
  ["GET", "/v1/responses/resp_1"],
  ["DELETE", "/v1/responses/resp_1"],
  ["POST", "/v1/messages"],
  ["POST", "/v1/messages/count_tokens"],
  ["POST", "/v1/images/generations"],
  ["POST", "/v1/embeddings"],
  ["GET", "/v1/health"],
  ["GET", "/health/"],
  ["GET", "//health"],
  ["GET", "/v1/quota"],
  ["GET", "/ready"],
  ["GET", "/metrics"],
  ["GET", "/metrics/prometheus"],
  ["GET", "/"],
  ["GET", "/nothing"],
];

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

/** Like fetch, but with any header, `Host` and `Origin` included. */
function ask(
  port: number,
  method: string,
  path: string,
  headers: object = {},
  body?: string | Uint8Array,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, method, path, headers: { ...headers }, agent: false };
    const request = httpRequest(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

const JSON_TYPE = { "content-type": "application/json" };
const chatBody = (prompt = "hello"): string =>
  JSON.stringify({ model: "gpt-5.5", messages: [{ role: "user", content: prompt }] });

describe.each(runtimes)("web pages and local attackers on $name", (runtime) => {
  let upstream: Upstream;
  let open: RunningServer;
  let locked: RunningServer;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "attacks-"));
    const keyFile = join(folder, "keys.txt");
    writeFileSync(keyFile, `# keys\nfirst: ${KEY}\n${OTHER_KEY}\n`, { mode: 0o600 });
    upstream = await startUpstream();
    const prepare = (codexHome: string): void => void writeAuthFile(codexHome, "chatgpt");
    const args = ["--allow-origin", APP, "--allow-host", "proxy.home.arpa", "--body-limit", String(BODY_LIMIT)];
    [open, locked] = await Promise.all([
      startServer(runtime, { upstream, prepare, args }),
      startServer(runtime, { upstream, prepare, args: ["--api-key-file", keyFile, "--allow-origin", APP] }),
    ]);
  });
  beforeEach(() => upstream.reset());
  afterAll(async () => {
    const log = open?.log() ?? "";
    await Promise.all([open?.stop(), locked?.stop()]);
    await upstream?.close();
    rmSync(folder, { recursive: true, force: true });
    expect(log).not.toMatch(/internal_error|unhandled|uncaught/i);
  });

  const stillServes = async (): Promise<void> => {
    const answer = await ask(open.port, "POST", "/v1/chat/completions", JSON_TYPE, chatBody("still there"));
    expect([answer.status, answer.text]).toEqual([200, expect.stringContaining("still there")]);
  };

  describe("Host", () => {
    it.each([
      "evil.example",
      "evil.example:8765",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "127.0.0.1.nip.io",
      "evil-localhost",
      "user@localhost",
      "localhost/evil.example",
      "localhost:80:80",
      "[::1",
      "0.0.0.0",
      "192.168.0.1",
      "proxy.home.arpa.evil.example",
    ])("%j is refused on every route", async (host) => {
      const paths: [string, string][] = [
        ["GET", "/health"],
        ["GET", "/v1/models"],
        ["POST", "/v1/chat/completions"],
      ];
      for (const [method, path] of paths) {
        const { status, text } = await ask(
          open.port,
          method,
          path,
          { ...JSON_TYPE, host },
          method === "POST" ? chatBody() : undefined,
        );
        expect([host, path, [400, 403].includes(status)], text).toEqual([host, path, true]);
      }
      expect(upstream.requestsTo("/responses")).toEqual([]);
    });

    it.each([
      "localhost",
      "LOCALHOST:1",
      "localhost.",
      "app.localhost",
      "127.0.0.1:9",
      "127.8.9.10",
      "[::1]:8765",
      "proxy.home.arpa",
      "Proxy.Home.Arpa:443",
    ])("%j is served", async (host) => expect((await ask(open.port, "GET", "/health", { host })).status).toBe(200));

    it("none at all, two, and one that the request line contradicts", async () => {
      const heads = [
        "GET /v1/models HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET /v1/models HTTP/1.0\r\n\r\n",
        "GET /v1/models HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
        "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        "GET /v1/models HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET http://localhost/v1/models HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
      ];
      for (const head of heads) {
        const text = await exchangeRaw(open.port, head, 2_000);
        expect([head, statusesIn(text).filter((status) => status < 400)], text.slice(0, 300)).toEqual([head, []]);
      }
    });
  });

  describe("Origin", () => {
    it.each([
      PAGE,
      "null",
      "http://127.0.0.1",
      "http://localhost:3001",
      `${APP}.evil.example`,
      "http://LOCALHOST:3000",
      "file://",
      "chrome-extension://x",
    ])("%s is refused without any CORS header, preflight included", async (origin) => {
      for (const method of ["GET", "POST", "OPTIONS"]) {
        const preflight = method === "OPTIONS" ? { "access-control-request-method": "POST" } : {};
        const { status, headers } = await ask(open.port, method, "/v1/chat/completions", { ...preflight, origin });
        expect([origin, method, status]).toEqual([origin, method, 403]);
        expect(Object.keys(headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
      }
    });

    it("a page's form or image, which names no origin but its kind, is refused", async () => {
      expect((await ask(open.port, "GET", "/v1/models", { "sec-fetch-site": "cross-site" })).status).toBe(403);
    });

    it("one that is allowed by name may ask, is named alone, and gets no credentials", async () => {
      const headers = {
        origin: APP,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, x-api-key",
      };
      for (const { port } of [open, locked]) {
        const preflight = await ask(port, "OPTIONS", "/v1/chat/completions", headers);
        expect([preflight.status, preflight.headers["access-control-allow-origin"]]).toEqual([204, APP]);
        expect(preflight.headers["access-control-allow-headers"]).toBe("authorization, x-api-key");
        expect(preflight.headers).not.toHaveProperty("access-control-allow-credentials");
      }
      const answer = await ask(open.port, "POST", "/v1/chat/completions", { ...JSON_TYPE, origin: APP }, chatBody());
      expect([answer.status, answer.headers["access-control-allow-origin"], answer.headers.vary]).toEqual([
        200,
        APP,
        "origin",
      ]);
      const refused = await ask(locked.port, "POST", "/v1/chat/completions", { ...JSON_TYPE, origin: APP }, chatBody());
      expect([refused.status, refused.headers["access-control-allow-origin"]]).toEqual([401, APP]);
    });
  });

  describe("keys", () => {
    const basic = `Basic ${Buffer.from(`x:${KEY}`).toString("base64")}`;
    it.each<[string, Record<string, string>]>([
      ["none", {}],
      ["a wrong one", { authorization: "Bearer wrong" }],
      ["a beginning of one", { authorization: `Bearer ${KEY.slice(0, -1)}` }],
      ["one with more behind it", { authorization: `Bearer ${KEY}x` }],
      ["one in other case", { authorization: `Bearer ${KEY.toUpperCase()}` }],
      ["an empty one", { authorization: "Bearer ", "x-api-key": "" }],
      ["one without its scheme", { authorization: KEY }],
      ["Basic", { authorization: basic }],
      ["two in one", { "x-api-key": `${KEY}, ${OTHER_KEY}` }],
      ["a label", { "x-api-key": "first" }],
      ["one in a cookie", { cookie: `api_key=${KEY}` }],
    ])("%s: nothing but /health answers", async (_name, headers) => {
      for (const [method, path] of ROUTES) {
        const {
          status,
          headers: answered,
          text,
        } = await ask(
          locked.port,
          method,
          path,
          { ...JSON_TYPE, ...headers },
          method === "POST" ? chatBody() : undefined,
        );
        expect([method, path, status, answered["www-authenticate"]]).toEqual([
          method,
          path,
          401,
          expect.stringContaining("Bearer"),
        ]);
        expect(JSON.parse(text).error.message).toBe("unauthorized");
      }
      expect((await ask(locked.port, "GET", "/health", headers)).status).toBe(200);
      expect(upstream.requestsTo("/responses")).toEqual([]);
    });

    it("a key in the URL is none", async () => {
      expect((await ask(locked.port, "GET", `/v1/models?api_key=${KEY}&key=${KEY}`)).status).toBe(401);
    });

    it("each API's clients read the refusal in their own envelope", async () => {
      for (const dialect of dialects) {
        const { text } = await ask(
          locked.port,
          "POST",
          dialect.path,
          JSON_TYPE,
          JSON.stringify(dialect.body("x", false)),
        );
        dialect.checkError(JSON.parse(text));
      }
    });

    it.each<[string, Record<string, string>]>([
      ["Bearer", { authorization: `Bearer ${KEY}` }],
      ["bearer", { authorization: `bearer ${KEY}` }],
      ["BEARER and blanks", { authorization: `BEARER   ${OTHER_KEY}` }],
      ["x-api-key", { "x-api-key": OTHER_KEY }],
    ])("%s opens every route", async (_name, headers) => {
      for (const [method, path] of ROUTES) {
        const { status } = await ask(
          locked.port,
          method,
          path,
          { ...JSON_TYPE, ...headers },
          method === "POST" ? "{}" : undefined,
        );
        expect([method, path, status]).not.toEqual([method, path, 401]);
      }
    });

    it("neither key nor hash shows in log, metrics or answers; labels do", async () => {
      const headers = { ...JSON_TYPE, authorization: `Bearer ${KEY}` };
      await ask(locked.port, "POST", "/v1/chat/completions", headers, chatBody());
      const metrics = await ask(locked.port, "GET", "/metrics/prometheus", headers);
      expect(metrics.text).toContain('"first"');
      for (const text of [metrics.text, locked.log()]) expect(text).not.toMatch(/first-key|other-key/);
    });
  });

  it.each(["0.0.0.0", "::", "0", "192.168.77.1", "example.com", "127.0.0.1.evil.example"])(
    "binding to %s without a key is refused",
    async (host) => {
      const env = {
        ...cleanEnvironment(folder, folder),
        CODEX_PROXY_HOST: host,
        CODEX_PROXY_PORT: String(await freePort()),
      };
      for (const args of [["start", "--foreground"], ["serve"]]) {
        const child = startChild(runtime.command(join(ROOT, "dist", runtime.entry), args), env, folder);
        const code = await Promise.race([
          child.exited,
          new Promise((resolve) => setTimeout(resolve, 10_000, "serves")),
        ]);
        if (code === "serves") await child.stop();
        expect([host, code, child.output()]).toEqual([host, expect.any(Number), expect.stringContaining("exposes")]);
        expect(code).not.toBe(0);
      }
    },
  );

  describe("what is sent on", () => {
    it("has nothing of the client's identity and nothing of one hop", async () => {
      const headers = {
        ...JSON_TYPE,
        authorization: "Bearer client-secret",
        "x-api-key": "client-secret",
        cookie: "session=client-secret",
        "proxy-authorization": "Basic client-secret",
        "x-forwarded-for": "203.0.113.7",
        forwarded: "for=203.0.113.7",
        via: "1.1 corp",
        te: "trailers",
        "keep-alive": "timeout=5",
        "x-amz-security-token": "client-secret",
        "openai-organization": "org-client-secret",
        "chatgpt-account-id": "client-secret",
        "x-openai-account-routing-override": "client-secret",
      };
      for (const dialect of dialects) {
        const { status } = await ask(
          open.port,
          "POST",
          dialect.path,
          headers,
          JSON.stringify(dialect.body("hi", false)),
        );
        expect(status).toBe(200);
      }
      const sent = upstream.requestsTo("/responses");
      expect(sent).toHaveLength(dialects.length);
      for (const request of sent) {
        expect(request.leaks).toEqual([]);
        expect(JSON.stringify(request.rawHeaders)).not.toMatch(/client-secret|203\.0\.113|corp/);
      }
    });

    it("a request id that is no id is replaced, in answer and log", async () => {
      for (const id of ["a b", "x".repeat(200), "<script>", '"; drop', "é", "a\tb"]) {
        const { headers } = await ask(open.port, "GET", "/health", { "x-request-id": id });
        expect(headers["x-request-id"]).toMatch(/^[0-9a-f]{32}$/);
      }
      expect(open.log()).not.toMatch(/<script>|"; drop/);
    });
  });

  describe("bodies", () => {
    const bomb = Buffer.alloc(512 * MEGABYTE, 32);
    const gzipBomb = gzipSync(bomb, { level: 9 });
    const cases: [name: string, body: string | Uint8Array, headers: Record<string, string>, statuses: number[]][] = [
      ["100,000 open brackets", `{"model":"gpt-5.5","messages":${"[".repeat(100_000)}`, {}, [400]],
      [
        "100,000 nested arrays",
        `{"model":"gpt-5.5","messages":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
        {},
        [400],
      ],
      [
        "100,000 nested objects",
        `{"model":"gpt-5.5","metadata":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}`,
        {},
        [400],
      ],
      ["a million elements", `{"model":"gpt-5.5","messages":[${"0,".repeat(1_000_000)}0]}`, {}, [400]],
      [
        "invalid UTF-8",
        Buffer.concat([Buffer.from('{"model":"'), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('"}')]),
        {},
        [400],
      ],
      ["half a surrogate pair", '{"model":"\\ud800","messages":[{"role":"user","content":"\\udfff"}]}', {}, [400, 404]],
      ["NUL bytes", Buffer.alloc(100), {}, [400]],
      ["nothing", "", {}, [400]],
      ["an unfinished object", '{"model":"gpt-5.5"', {}, [400]],
      ["a text", '"hello"', {}, [400]],
      ["null", "null", {}, [400]],
      [
        "a number too large",
        `{"model":"gpt-5.5","messages":[{"role":"user","content":"x"}],"n":1e999}`,
        {},
        [200, 400],
      ],
      [
        "a model name of 1 MB",
        JSON.stringify({ model: "m".repeat(MEGABYTE), messages: [{ role: "user", content: "x" }] }),
        {},
        [400, 404],
      ],
      ["more than the limit", Buffer.alloc(BODY_LIMIT + 1, 32), {}, [413]],
      ["a gzip bomb", gzipBomb, { "content-encoding": "gzip" }, [413]],
      ["a gzip bomb in gzip", gzipSync(gzipBomb), { "content-encoding": "gzip, gzip" }, [413]],
      ["a deflate bomb", deflateSync(bomb), { "content-encoding": "deflate" }, [413]],
      ["a zstd bomb", zstdBomb(2_000), { "content-encoding": "zstd" }, [400, 413]],
      ["a zstd window of a gigabyte", zstdWindow(), { "content-encoding": "zstd" }, [400, 413]],
      ["gzip that is none", "hello", { "content-encoding": "gzip" }, [400]],
      ["zstd that is none", "hello", { "content-encoding": "zstd" }, [400]],
      ["half a gzip body", gzipSync(chatBody()).subarray(0, 30), { "content-encoding": "gzip" }, [400]],
      [
        "gzip with random bytes",
        Buffer.concat([gzipSync("x").subarray(0, 10), randomBytes(500)]),
        { "content-encoding": "gzip" },
        [400],
      ],
      ["an unknown encoding", chatBody(), { "content-encoding": "compress" }, [415]],
      ["ten encodings", chatBody(), { "content-encoding": Array(10).fill("gzip").join() }, [415]],
    ];

    it.each(cases)("%s", async (_name, body, headers, statuses) => {
      for (const dialect of dialects) {
        const { status, text } = await ask(open.port, "POST", dialect.path, { ...JSON_TYPE, ...headers }, body);
        expect([dialect.name, statuses.includes(status), status], text.slice(0, 300)).toEqual([
          dialect.name,
          true,
          status,
        ]);
        if (status === 200) continue;
        const json: Json = JSON.parse(text);
        dialect.checkError(json);
        expect(json.error.message.length).toBeLessThan(2_000);
      }
    });

    it("a length of 10 GB is refused before it is sent", async () => {
      const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10000000000\r\n\r\n{`;
      const connection = await openRaw(open.port);
      connection.send(head);
      const text = await connection.until((received) => received.includes("\r\n\r\n"), 5_000);
      connection.end();
      expect(statusesIn(text)[0]).toBe(413);
    });

    it("chunks without end are cut off at the limit", async () => {
      const connection = await openRaw(open.port);
      connection.send("POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
      const chunk = `100000\r\n${" ".repeat(MEGABYTE)}\r\n`;
      for (let sent = 0; sent <= BODY_LIMIT + MEGABYTE && !connection.closed(); sent += MEGABYTE)
        connection.send(chunk);
      const text = await connection.until((received) => received.includes("request_too_large"), 10_000);
      connection.end();
      expect(statusesIn(text)[0]).toBe(413);
    });

    it("names of the prototype are names like others", async () => {
      const hostile = '"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}';
      const schema = `{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"},"toString":{"type":"number"}},${hostile}}`;
      const tools = ["__proto__", "constructor", "hasOwnProperty"]
        .map((name) => `{"type":"function","function":{"name":"${name}","parameters":${schema}}}`)
        .join();
      const body = `{"model":"gpt-5.5",${hostile},"messages":[{"role":"user","content":"hi",${hostile}}],"tools":[${tools}],"metadata":{${hostile.replaceAll("true", '"x"')}}}`;
      const { status } = await ask(open.port, "POST", "/v1/chat/completions", JSON_TYPE, body);
      expect(status).toBeLessThan(500);
      for (const path of [
        "/v1/models/__proto__",
        "/v1/responses/__proto__",
        "/v1/responses/constructor",
        "/v1/messages/__proto__",
      ])
        expect([path, (await ask(open.port, "GET", path)).status]).toEqual([path, 404]);
      for (const model of ["__proto__", "constructor", "toString"]) {
        const answer = await ask(
          open.port,
          "POST",
          "/v1/chat/completions",
          JSON_TYPE,
          JSON.stringify({ model, messages: [{ role: "user", content: "x" }] }),
        );
        expect([model, answer.status]).toEqual([model, 404]);
      }
      const health: Json = JSON.parse((await ask(open.port, "GET", "/health")).text);
      expect(health).not.toHaveProperty("polluted");
      await stillServes();
    });

    it("leave the memory bounded", async () => {
      await stillServes();
      expect(residentBytes(open.pid)).toBeLessThan(500 * MEGABYTE);
    });
  });

  describe("bytes that are no proper request", () => {
    const refused: [name: string, bytes: string | Uint8Array][] = [
      ["noise", randomBytes(300)],
      ["a TLS greeting", Buffer.from("16030100f5010000f10303", "hex")],
      ["an HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
      ["no version", "GET /health\r\n\r\n"],
      ["a bad version", "GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n"],
      ["a header without a colon", "GET /health HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n"],
      ["a NUL in a header", "GET /health HTTP/1.1\r\nHost: localhost\r\nx-a: a\0b\r\n\r\n"],
      ["headers of 1 MB", `GET /health HTTP/1.1\r\nHost: localhost\r\nx-a: ${"a".repeat(MEGABYTE)}\r\n\r\n`],
      ["a path of 1 MB", `GET /${"a".repeat(MEGABYTE)} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
      ["a negative length", "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\nhello"],
      [
        "a length that is no number",
        "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: ten\r\n\r\nhello",
      ],
      [
        "two lengths",
        "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
      ],
      [
        "a chunk size that is none",
        "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
      ],
    ];
    it.each(refused)("%s", async (_name, bytes) => {
      const text = await exchangeRaw(open.port, bytes, 2_000);
      expect(statusesIn(text).filter((status) => status < 400)).toEqual([]);
      expect(text).not.toMatch(/\bat .*\.[jt]s:\d+/);
      expect((await fetch(`${open.url}/health`)).status).toBe(200);
    });

    it("a request hidden behind two lengths is not taken for a second one", async () => {
      const hidden = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
      const body = `0\r\n\r\n${hidden}`;
      const bytes = `POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;
      const text = await exchangeRaw(open.port, bytes, 2_000);
      expect(text).not.toContain("/smuggled");
      expect(statusesIn(text).every((status) => status >= 400)).toBe(true);
    });

    it("three requests in one packet get three answers in order", async () => {
      const one = (id: string) => `GET /health HTTP/1.1\r\nHost: localhost\r\nx-request-id: ${id}\r\n\r\n`;
      const connection = await openRaw(open.port);
      connection.send(one("one") + one("two") + one("three"));
      const text = await connection.until((received) => /three[\s\S]*\{.*\}/.test(received), 5_000);
      connection.end();
      expect(statusesIn(text)).toEqual([200, 200, 200]);
      expect([...text.matchAll(/^x-request-id: (\w+)/gim)].map((match) => match[1])).toEqual(["one", "two", "three"]);
    });

    it("Expect: 100-continue is served", async () => {
      const body = chatBody("continued");
      const connection = await openRaw(open.port);
      connection.send(
        `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
      );
      setTimeout(() => connection.send(body), 200);
      const text = await connection.until((received) => received.includes("continued"), 5_000);
      connection.end();
      expect(statusesIn(text).at(-1)).toBe(200);
    });

    it("odd methods and paths are refused in words, and never with a 5xx", async () => {
      const odd: [string, string][] = [
        ["TRACE", "/health"],
        ["PUT", "/v1/chat/completions"],
        ["PATCH", "/v1/models"],
        ["PROPFIND", "/v1/models"],
        ["GET", "/v1/models/%E0%A4%A"],
        ["GET", "/v1/models/..%2f..%2fetc%2fpasswd"],
        ["GET", "/../../etc/passwd"],
        ["GET", "//evil.example/v1/models"],
        ["GET", "/v1/responses/%00"],
        ["GET", "/v1/responses/a/b/c/d"],
        ["GET", "/v1/models/x?refresh=1&refresh=2&__proto__=1"],
        ["DELETE", "/v1/responses/%20"],
      ];
      for (const [method, path] of odd) {
        const { status, text } = await ask(open.port, method, path);
        expect([method, path, status >= 400 && (status < 500 || status === 501)], `${status} ${text}`).toEqual([
          method,
          path,
          true,
        ]);
        expect(text).not.toMatch(/root:|<html/);
      }
    });

    it("400 clients that trickle their headers hold up nobody", async () => {
      const slow = await Promise.all(Array.from({ length: 400 }, () => openRaw(open.port)));
      for (const connection of slow) connection.send("POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nx-a: ");
      const trickle = setInterval(() => {
        for (const connection of slow) connection.send("a");
      }, 100);
      const begun = Date.now();
      for (let i = 0; i < 5; i++) await stillServes();
      expect(Date.now() - begun).toBeLessThan(5_000);
      clearInterval(trickle);
      for (const connection of slow) connection.end();
    });

    it("400 bodies that never end hold up nobody, and are let go with their clients", async () => {
      const before = descriptors(open.pid);
      const slow = await Promise.all(Array.from({ length: 400 }, () => openRaw(open.port)));
      for (const connection of slow)
        connection.send("POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{");
      for (let i = 0; i < 5; i++) await stillServes();
      for (const connection of slow) connection.end();
      await expect.poll(() => descriptors(open.pid), { timeout: 5_000 }).toBeLessThan(before + 20);
    });
  });

  it("files that the server writes are the user's alone", async () => {
    for (const server of [open, locked]) {
      for (const name of ["codex-api-proxy.pid", "codex-api-proxy.pid.json", "config.toml"]) {
        const path = join(server.home, ".codex-api-proxy", name);
        expect([name, (statSync(path).mode & 0o077).toString(8)]).toEqual([name, "0"]);
      }
      expect((statSync(join(server.home, ".codex-api-proxy")).mode & 0o077).toString(8)).toBe("0");
    }
  });
});

/** A zstd frame of many blocks, each of which repeats one byte 128 KiB times. */
function zstdBomb(blocks: number): Buffer {
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]);
  const size = 128 * 1024;
  const block = (last: boolean): Buffer => {
    const header = (size << 3) | (1 << 1) | (last ? 1 : 0);
    return Buffer.from([header & 255, (header >> 8) & 255, (header >> 16) & 255, 0x20]);
  };
  return Buffer.concat([head, ...Array.from({ length: blocks }, (_, index) => block(index === blocks - 1))]);
}

/** A zstd frame whose header asks for a window of a gigabyte. */
function zstdWindow(): Buffer {
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, (20 << 3) | 0, 0x01, 0x00, 0x00]);
}
