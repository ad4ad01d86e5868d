import { mkdtempSync, rmSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type AdapterServer, startAdapters } from "../support/adapter-server.ts";
import { type Certificates, createCertificates } from "../support/certificates.ts";
import { type Origin, startOrigin } from "../support/origin.ts";
import { runtimes } from "../support/runtimes.ts";
import { type ConnectProxy, startConnectProxy } from "../upstream/index.ts";

const USER = "us%25er:pa%3Ass";
const USER_AUTHORIZATION = `Basic ${Buffer.from("us%er:pa:ss").toString("base64")}`;
const MEGABYTE = 1_000_000;

let certificates: Certificates;
let home: string;

beforeAll(async () => {
  certificates = createCertificates();
  home = mkdtempSync(join(tmpdir(), "adapters-"));
});

afterAll(() => {
  certificates.remove();
  rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

describe.each(runtimes)("$name", (runtime) => {
  const cleanups: (() => Promise<unknown>)[] = [];
  const keep = <T>(thing: T, close: (thing: T) => Promise<unknown>): T => {
    cleanups.push(() => close(thing));
    return thing;
  };
  const origin = async (secure = false): Promise<Origin> =>
    keep(await startOrigin(secure ? certificates.leaf : undefined), (it) => it.close());
  const proxyTo = async (upstreamPort: number, auth?: string): Promise<ConnectProxy> =>
    keep(await startConnectProxy({ upstreamPort, ...(auth !== undefined && { auth }) }), (it) => it.close());
  const start = async (env: Record<string, string> = {}): Promise<AdapterServer> =>
    keep(await startAdapters(runtime, env, home), (it) => it.child.stop());
  const ask = (server: AdapterServer, way: string, url: string, init?: RequestInit): Promise<Response> =>
    fetch(`${server.url}/${way}?url=${encodeURIComponent(url)}`, init);

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  test("an https upstream is reached by CONNECT with credentials and a private CA, and never sees them", async () => {
    const upstream = await origin(true);
    const proxy = await proxyTo(upstream.port, USER);
    const server = await start({ TEST_PROXY: proxy.url, TEST_CA: certificates.caFile });

    for (const body of ["one", "two"]) {
      const response = await ask(server, "text", "https://chatgpt.com/echo", { method: "POST", body });
      expect(await response.text()).toBe(body);
    }

    expect(proxy.targets).toEqual(["chatgpt.com:443"]);
    expect(proxy.authorizations).toEqual([USER_AUTHORIZATION]);
    expect(upstream.connections()).toBe(1);
    expect(upstream.requests[0]?.headers).not.toHaveProperty("proxy-authorization");
  });

  test("wrong proxy credentials fail the request", async () => {
    const upstream = await origin(true);
    const proxy = await proxyTo(upstream.port, USER);
    const url = proxy.url.replace(USER, "nobody:nothing");
    const server = await start({ TEST_PROXY: url, TEST_CA: certificates.caFile });

    expect((await ask(server, "text", "https://chatgpt.com/echo")).status).toBe(502);
    expect(upstream.requests).toEqual([]);
  });

  test("an upstream whose CA is not trusted is refused, also when the environment says otherwise", async () => {
    const upstream = await origin(true);
    const server = await start({ NODE_TLS_REJECT_UNAUTHORIZED: "0" });

    expect((await ask(server, "text", `https://localhost:${upstream.port}/echo`)).status).toBe(502);
    expect(upstream.requests).toEqual([]);
  });

  test("a certificate for another name is refused, behind a proxy and without, whatever the environment says", async () => {
    const foreign = keep(createCertificates("DNS:elsewhere.test"), async (it) => it.remove());
    const upstream = keep(await startOrigin(foreign.leaf), (it) => it.close());
    const proxy = await proxyTo(upstream.port);
    const server = await start({
      TEST_PROXY: proxy.url,
      TEST_NO_PROXY: "localhost",
      TEST_CA: foreign.caFile,
      NODE_TLS_REJECT_UNAUTHORIZED: "0",
    });

    for (const url of ["https://chatgpt.com/echo", `https://localhost:${upstream.port}/echo`]) {
      const response = await ask(server, "text", url);
      expect([response.status, await response.text()]).toEqual([502, expect.stringMatching(/alt ?name|cert/i)]);
    }
    expect(proxy.targets).toEqual(["chatgpt.com:443"]);
    expect(upstream.requests).toEqual([]);
  });

  test("NO_PROXY entries and plain http go past the proxy", async () => {
    const upstream = await origin(true);
    const plain = await origin();
    const proxy = await proxyTo(upstream.port);
    const server = await start({
      TEST_PROXY: proxy.url,
      TEST_NO_PROXY: "example.org,localhost",
      TEST_CA: certificates.caFile,
    });

    expect((await ask(server, "text", `https://localhost:${upstream.port}/echo`)).status).toBe(200);
    expect((await ask(server, "text", `http://127.0.0.1:${plain.port}/echo`)).status).toBe(200);
    expect(proxy.targets).toEqual([]);
  });

  test("the proxy variables of the process do not override the configuration", async () => {
    const upstream = await origin(true);
    const proxy = await proxyTo(upstream.port);
    const dead = {
      HTTPS_PROXY: "http://127.0.0.1:1",
      https_proxy: "http://127.0.0.1:1",
      ALL_PROXY: "http://127.0.0.1:1",
    };
    const direct = await start({ ...dead, TEST_CA: certificates.caFile });
    expect((await ask(direct, "text", `https://localhost:${upstream.port}/echo`)).status).toBe(200);

    const proxied = await start({ NO_PROXY: "*", TEST_PROXY: proxy.url, TEST_CA: certificates.caFile });
    expect((await ask(proxied, "text", "https://chatgpt.com/echo")).status).toBe(200);
    expect(proxy.targets).toEqual(["chatgpt.com:443"]);
  });

  test.each(["read", "text"])("a gzip body arrives decoded, its header gone: %s", async (way) => {
    const upstream = await origin();
    const server = await start();

    const response = await ask(server, way, `http://127.0.0.1:${upstream.port}/gzip`);

    expect(await response.text()).toBe("first second");
    expect(response.headers.get("x-encoding")).toBe("none");
    expect(upstream.requests[0]?.headers["accept-encoding"]).toBe("identity");
  });

  test("a redirect is handed on, not followed", async () => {
    const upstream = await origin();
    const server = await start();

    const response = await ask(server, "read", `http://127.0.0.1:${upstream.port}/redirect`, { redirect: "manual" });

    expect(response.status).toBe(302);
    expect(upstream.requests.map(({ path }) => path)).toEqual(["/redirect"]);
  });

  test("a client that leaves mid-stream frees upstream within a second", async () => {
    const way = "read";
    const upstream = await origin();
    const server = await start();
    const leave = new AbortController();
    const response = await ask(server, way, `http://127.0.0.1:${upstream.port}/ticks?ms=20`, { signal: leave.signal });
    await response.body?.getReader().read();

    leave.abort();

    await expect.poll(() => upstream.abandoned, { timeout: 1_000 }).toEqual(["/ticks"]);
  });

  test("a client that leaves costs upstream no other connection", async () => {
    const upstream = await origin();
    const server = await start();
    for (let count = 1; count <= 3; count++) {
      const leave = new AbortController();
      const url = `http://127.0.0.1:${upstream.port}/ticks?ms=20`;
      const response = await ask(server, "read", url, { signal: leave.signal });
      await response.body?.getReader().read();
      leave.abort();
      await expect.poll(() => upstream.abandoned.length, { timeout: 1_000 }).toBe(count);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(upstream.connections()).toBe(3);
  });

  test("a client that leaves before the headers aborts the request and frees upstream within a second", async () => {
    const upstream = await origin();
    const server = await start();
    const leave = new AbortController();
    const url = `http://127.0.0.1:${upstream.port}/hang`;
    const asked = ask(server, "read", url, { signal: leave.signal }).catch(() => undefined);
    await expect.poll(() => upstream.requests.length).toBe(1);

    leave.abort();
    await asked;

    await expect.poll(() => upstream.abandoned, { timeout: 1_000 }).toEqual(["/hang"]);
    expect(server.child.output()).toContain("left");
  });

  test("the request's signal stays quiet when the answer was delivered", async () => {
    const upstream = await origin();
    const server = await start();
    for (const way of ["text", "read"]) {
      await (await ask(server, way, `http://127.0.0.1:${upstream.port}/ticks?ms=1&count=3`)).text();
    }
    await fetch(`${server.url}/health`);

    expect(server.child.output()).toBe(`${server.child.output().split("\n")[0]}\n`);
  });

  test("an answer that a reset follows at once arrives whole", async () => {
    const whole = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwhole";
    const resetting = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.write(whole, () => socket.resetAndDestroy()));
    });
    await new Promise<void>((resolve) => resetting.listen(0, "127.0.0.1", resolve));
    keep(resetting, (it) => new Promise((resolve) => it.close(resolve)));
    const { port } = resetting.address() as AddressInfo;
    const server = await start();

    const texts: string[] = [];
    for (let count = 0; count < 20; count++) {
      texts.push(await (await ask(server, "text", `http://127.0.0.1:${port}/`)).text());
    }
    expect(texts).toEqual(Array.from({ length: 20 }, () => "whole"));
  });

  test("an upstream that breaks off does not look like a complete answer", async () => {
    const upstream = await origin();
    const server = await start();
    const response = await ask(server, "read", `http://127.0.0.1:${upstream.port}/cut`);

    await expect(response.text()).rejects.toThrow();
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
  });

  test("an unreachable upstream rejects", async () => {
    const upstream = await startOrigin();
    await upstream.close();
    const server = await start();

    expect((await ask(server, "read", `http://127.0.0.1:${upstream.port}/echo`)).status).toBe(502);
  });

  test("a reader that stands still holds upstream back", async () => {
    const way = "read";
    const upstream = await origin();
    const server = await start();
    const memory = async (): Promise<number> =>
      ((await (await fetch(`${server.url}/health`)).json()) as { rss: number }).rss;
    const url = encodeURIComponent(`http://127.0.0.1:${upstream.port}/big?chunks=1600`);
    const before = await memory();
    const response = await new Promise<IncomingMessage>((resolve) => {
      get(`${server.url}/${way}?url=${url}`, resolve);
    });
    response.pause();

    const settled = await settle(upstream.sent);
    const grown = (await memory()) - before;
    response.destroy();

    // The rest of 105 MB is in upstream; the sockets' own buffers take several.
    expect(settled).toBeLessThan(40 * MEGABYTE);
    expect(grown).toBeLessThan(50 * MEGABYTE);
  });

  test("500 streams are open at a time and all end complete", async () => {
    const upstream = await origin();
    const server = await start();
    const url = `http://127.0.0.1:${upstream.port}/together?of=500`;

    const texts = await Promise.all(Array.from({ length: 500 }, async () => (await ask(server, "read", url)).text()));

    expect(texts.filter((text) => text === "begun ended").length).toBe(500);
  });

  test("a WebSocket upgrade reaches the handler as an ordinary request", async () => {
    const server = await start();
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      };
      get(`${server.url}/health`, { headers }, resolve).on("error", reject);
    });
    let text = "";
    for await (const chunk of response) text += chunk;

    expect(response.statusCode).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ upgrade: "websocket" });
  });

  test("IPv6 loopback is listened on; a taken port and a foreign address are refused in words", async () => {
    const server = await start({ TEST_HOST: "::1" });
    const port = new URL(server.url).port;
    expect((await fetch(`http://[::1]:${port}/health`)).status).toBe(200);

    const taken = startAdapters(runtime, { TEST_HOST: "::1", TEST_PORT: port }, home);
    await expect(taken).rejects.toThrow("refused EADDRINUSE: port");
    await expect(startAdapters(runtime, { TEST_HOST: "203.0.113.1" }, home)).rejects.toThrow("refused EADDRNOTAVAIL");
  });

  test("SIGTERM lets an open answer end, keeps idle connections from delaying, and exits 0", async () => {
    const upstream = await origin();
    const server = await start();
    await (await fetch(`${server.url}/health`)).text();
    const response = await ask(server, "read", `http://127.0.0.1:${upstream.port}/ticks?ms=50&count=10`);

    const stopped = server.child.stop();

    expect(await response.text()).toContain("data: 9\n\n");
    expect(await stopped).toBe(0);
  });
});

/** Waits until a count has stood still for half a second, and gives it. */
async function settle(count: () => number): Promise<number> {
  for (let last = -1; last !== count(); ) {
    last = count();
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return count();
}
