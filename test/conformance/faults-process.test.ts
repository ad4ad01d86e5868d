import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ROOT, runtimes } from "../support/runtimes.ts";
import { cleanEnvironment, freePort, type RunningServer, type ServerOptions, startServer } from "../support/server.ts";
import { startUpstream, type Upstream, writeAuthFile } from "../upstream/index.ts";
import { dialects, type Json, readEvents } from "./fault-dialects.ts";
import { openRaw } from "./fault-process.ts";

const RESPONSES = "/codex/responses";

describe.each(runtimes)("the process on $name", (runtime) => {
  let upstream: Upstream;
  const cleanups: (() => unknown)[] = [];

  beforeEach(async () => {
    upstream = await startUpstream();
    cleanups.push(() => upstream.close());
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function start(options: ServerOptions = {}): Promise<RunningServer> {
    const prepare = (codexHome: string): void => void writeAuthFile(codexHome, "chatgpt");
    const server = await startServer(runtime, { upstream, prepare, ...options });
    cleanups.push(() => server.stop());
    return server;
  }

  const ask = (url: string, prompt: string, streamed = false): Promise<Response> =>
    fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "gpt-5.5", stream: streamed, messages: [{ role: "user", content: prompt }] }),
    });

  async function expectServing(url: string): Promise<void> {
    const response = await ask(url, "still there");
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining("still there")]);
  }

  it("SIGTERM lets open streams end, takes no new ones, and exits with 0", async () => {
    const server = await start();
    upstream.script(RESPONSES, { paceMs: 15, times: 3 });
    const open = await Promise.all(
      dialects.map((dialect) =>
        fetch(server.url + dialect.path, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(dialect.body("[[long 100]]", true)),
        }),
      ),
    );
    const texts = open.map((response) => response.text());
    const stopping = server.stop();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await expect(openRaw(server.port)).rejects.toThrow();
    for (const [index, text] of texts.entries()) {
      const read = dialects[index]?.readStream(readEvents(await text));
      expect([read?.error, read?.text.includes("w99")]).toEqual([undefined, true]);
      expect(read?.end).toMatch(/stop|end_turn|completed/);
    }
    expect(await stopping).toBe(0);
  });

  it("SIGTERM cuts what does not end within its deadline, and exits with 0 all the same", async () => {
    const server = await start();
    upstream.script(RESPONSES, { stallMs: 60_000, stallAfterEvents: 6 });
    const response = await ask(server.url, "hello", true);
    const text = response.text().catch(() => "cut");
    const begun = Date.now();
    expect(await server.stop()).toBe(0);
    expect(Date.now() - begun).toBeLessThan(14_000);
    expect(await text).not.toContain("[DONE]");
  });

  it("a second SIGTERM, a while later, cuts what is open, and exits with 0", async () => {
    const server = await start();
    upstream.script(RESPONSES, { stallMs: 60_000, stallAfterEvents: 6 });
    const response = await ask(server.url, "hello", true);
    const text = response.text().catch(() => "cut");
    const begun = Date.now();
    const ended = server.stop();
    // One Ctrl-C may come twice.
    process.kill(server.pid, "SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    process.kill(server.pid, "SIGTERM");
    expect(await ended).toBe(0);
    expect(Date.now() - begun).toBeGreaterThan(1_900);
    expect(Date.now() - begun).toBeLessThan(5_000);
    expect(await text).not.toContain("[DONE]");
  });

  it("SIGHUP is no reason to end", async () => {
    const server = await start();
    process.kill(server.pid, "SIGHUP");
    await new Promise((resolve) => setTimeout(resolve, 300));
    await expectServing(server.url);
  });

  const canLimit = spawnSync("prlimit", ["--version"]).status === 0;
  it.runIf(canLimit)("descriptors that run out cost nobody the server", async () => {
    const server = await start();
    await expectServing(server.url);
    // As `ulimit -n 64` would, which a shell in between cannot set for every runtime alike.
    execFileSync("prlimit", [`--pid=${server.pid}`, "--nofile=64"]);
    const hogs = Array.from({ length: 150 }, () => connect(server.port, "127.0.0.1").on("error", () => {}));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    // The first to read auth.json may have been the one that had no descriptor for it.
    const early = ask(server.url, "hello").then(
      (response) => response.text(),
      () => "no connection",
    );
    for (const hog of hogs) hog.destroy();
    await early;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await expectServing(server.url);
    expect(await server.stop()).toBe(0);
  });

  it("its own files may go: an update, a folder that the system cleans up", async () => {
    const folder = mkdtempSync(join(tmpdir(), "program-"));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
    const dist = join(folder, "dist");
    cpSync(join(ROOT, "dist"), dist, { recursive: true });
    // Not one request before they go; with no login yet, none of the server's own either.
    const server = await start({ dist, prepare: () => {} });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    rmSync(folder, { recursive: true });
    const { bearer } = writeAuthFile(server.codexHome, "chatgpt");
    await expectServing(server.url);
    upstream.script(RESPONSES, { gzip: true });
    await expectServing(server.url);
    const count = await fetch(`${server.url}/v1/messages/count_tokens`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "gpt-5.5", messages: [{ role: "user", content: "hello" }] }),
    });
    expect([count.status, await count.json()]).toEqual([200, { input_tokens: expect.any(Number) }]);
    // Renewing the login takes a lock, and a process of its own where there still is one.
    upstream.tokens.invalidated.add(bearer);
    await expectServing(server.url);
    expect(upstream.tokens.refreshed).toBe(1);
    expect(await server.stop()).toBe(0);
  });

  it.skipIf(process.platform === "win32")("an error that nobody catches is logged, and ends nothing", async () => {
    const preload = join(ROOT, "test/support/fault-on-signal.mjs");
    const flag = runtime.entry === "node.js" ? "--import" : "--preload";
    const server = await start({ runtimeArgs: [`${flag}=${preload}`] });
    upstream.script(RESPONSES, { paceMs: 15 });
    const open = await ask(server.url, "[[long 100]]", true);
    for (const times of [1, 2, 3]) {
      process.kill(server.pid, "SIGUSR2");
      await vi.waitFor(() => expect(server.log().match(/uncaught_error/g)).toHaveLength(2 * times), 5_000);
    }
    expect(server.log()).toMatch(/uncaught_error.*planted rejection/);
    expect(server.log()).toMatch(/uncaught_error.*planted exception/);
    expect(await open.text()).toContain("[DONE]");
    await expectServing(server.url);
    expect(await server.stop()).toBe(0);
  });

  it("a full disk under the log stops nothing", async () => {
    const server = await start({ args: ["--log-file", "/dev/full", "--log-level", "debug"] });
    for (let i = 0; i < 20; i++) await expectServing(server.url);
  });

  it("a log that cannot be written stops nothing", async () => {
    const home = mkdtempSync(join(tmpdir(), "log-"));
    cleanups.push(() => rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
    mkdirSync(join(home, "log"));
    const server = await start({ args: ["--log-file", join(home, "log")] });
    for (let i = 0; i < 5; i++) await expectServing(server.url);
  });

  it.each<[string, () => ["ignore", number | "pipe", number | "pipe"], (child: ChildProcess) => void]>([
    ["a full disk", () => ["ignore", openSync("/dev/full", "w"), openSync("/dev/full", "w")], () => {}],
    [
      "a reader that has gone",
      () => ["ignore", "pipe", "pipe"],
      (child) => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      },
    ],
    ["a reader that does not read", () => ["ignore", "pipe", "pipe"], () => {}],
  ])("%s behind standard output stops nothing", async (_name, stdio, started) => {
    const home = mkdtempSync(join(tmpdir(), "output-"));
    cleanups.push(() => rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
    writeAuthFile(home, "chatgpt");
    const port = await freePort();
    const env = {
      ...cleanEnvironment(home, home),
      CODEX_PROXY_PORT: String(port),
      CODEX_PROXY_LOG_LEVEL: "debug",
      CODEX_API_PROXY_CHATGPT_BASE_URL: upstream.chatgptBaseUrl,
      CODEX_REFRESH_TOKEN_URL_OVERRIDE: upstream.refreshTokenUrl,
    };
    const [file, ...args] = runtime.command(join(ROOT, "dist", runtime.entry), ["start", "--foreground"]);
    const child = spawn(file, args, { cwd: home, env: env as NodeJS.ProcessEnv, stdio: stdio() });
    const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
    cleanups.push(() => void child.kill("SIGKILL"));
    started(child);
    const url = `http://127.0.0.1:${port}`;
    const healthy = () =>
      fetch(`${url}/health`)
        .then(({ status }) => status)
        .catch(() => 0);
    await expect.poll(healthy, { timeout: 20_000 }).toBe(200);
    // More than a pipe holds, where nobody reads.
    const prompt = "x".repeat(20_000);
    for (let i = 0; i < 20; i++) expect((await ask(url, prompt)).status).toBe(200);
    await expectServing(url);
    child.kill("SIGTERM");
    // Only now is read what the pipe holds, so that its end is seen.
    child.stdout?.resume();
    child.stderr?.resume();
    expect(await exited).toBe(0);
  });

  it("a login that vanishes, is spoilt and comes back is told in words each time", async () => {
    const server = await start();
    await expectServing(server.url);
    const path = join(server.codexHome, "auth.json");
    const whole = readFileSync(path, "utf8");
    const spoil: [string, () => void][] = [
      ["missing", () => renameSync(path, `${path}.away`)],
      ["empty", () => writeFileSync(path, "")],
      ["half", () => writeFileSync(path, whole.slice(0, 100))],
      ["no object", () => writeFileSync(path, "[1]")],
      ["of wrong types", () => writeFileSync(path, '{"tokens":{"access_token":5}}')],
    ];
    for (const [name, act] of spoil) {
      act();
      const response = await ask(server.url, "hello");
      const { error }: Json = await response.json();
      expect([name, [401, 503].includes(response.status), error.message]).toEqual([
        name,
        true,
        expect.stringMatching(/auth\.json|login/),
      ]);
      expect((await fetch(`${server.url}/health`)).status).toBe(200);
      writeFileSync(path, whole, { mode: 0o600 });
      await expectServing(server.url);
    }
    expect(server.log()).not.toMatch(/internal_error|unhandled|uncaught/i);
  });
});
