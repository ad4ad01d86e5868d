import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runtimes } from "../support/runtimes.ts";
import { startUpstream, type Upstream, writeAuthFile } from "../upstream/index.ts";
import { ask, bearers, kill, modeOf, readAuth, refreshes, serve, sleep } from "./login-support.ts";

const KILLS = 20;
/** How long the token endpoint takes: the kills are spread from before its call to behind the writing of its answer. */
const ENDPOINT_MS = 120;
const SPREAD_MS = 18;

describe.each(runtimes)("a server on $name that is ended during a refresh", (runtime) => {
  let upstream: Upstream;
  let home: string;
  const signIn = () => writeAuthFile(home, "chatgpt", { expiresIn: -60, fields: { future_field: [1] } });

  beforeAll(async () => {
    upstream = await startUpstream();
    home = mkdtempSync(join(tmpdir(), "codex-api-proxy-kills-"));
    writeAuthFile(home, "chatgpt");
  });
  afterAll(async () => {
    await upstream?.close();
    rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });

  it(`by SIGKILL, ${KILLS} times: the login is never lost`, { timeout: 100_000 }, async () => {
    const moments = new Set<string>();
    let server = await serve(runtime, upstream, home);
    for (let round = 0; round < KILLS; round++) {
      upstream.reset();
      upstream.script("/oauth/token", { stallMs: ENDPOINT_MS });
      const { refreshToken } = signIn();
      const asked = ask(server).catch(() => undefined);
      // Every fourth kill comes before the call, the others while it is out, or after its answer.
      if (round % 4 === 0) await sleep(round * 3);
      else {
        await upstream.waitFor(({ path }) => path === "/oauth/token");
        await sleep(round * SPREAD_MS * 0.6);
      }
      moments.add(`${refreshes(upstream).length} called, ${upstream.tokens.refreshed} answered`);
      await kill(server);
      await asked;
      expect(readAuth(home).future_field).toEqual([1]);
      server = await serve(runtime, upstream, home);
      const answer = await ask(server);
      expect([round, answer.status, answer.text]).toEqual([round, 200, expect.stringContaining("done.")]);
      expect([round, upstream.tokens.refreshed, upstream.tokens.reused]).toEqual([round, 1, 0]);
      const { tokens } = readAuth(home);
      expect([tokens.refresh_token, tokens.access_token]).toEqual([
        upstream.tokens.issuedRefresh[0],
        upstream.tokens.issuedAccess[0],
      ]);
      expect(tokens.refresh_token).not.toBe(refreshToken);
      expect(bearers(upstream).at(-1)).toBe(tokens.access_token);
    }
    expect(modeOf(home).mode).toBe(0o600);
    expect(readdirSync(home)).toEqual(["auth.json"]);
    expect([...moments].sort()).toEqual(["0 called, 0 answered", "1 called, 0 answered", "1 called, 1 answered"]);
    await server.stop();
  });

  it("by SIGTERM ends in order, with the renewed login written", async () => {
    upstream.reset();
    writeAuthFile(home, "chatgpt");
    const server = await serve(runtime, upstream, home);
    upstream.script("/oauth/token", { stallMs: 1_000 });
    signIn();
    const asked = ask(server);
    await upstream.waitFor(({ path }) => path === "/oauth/token");
    expect(await server.stop()).toBe(0);
    expect((await asked).status).toBe(200);
    expect(readAuth(home).tokens.refresh_token).toBe(upstream.tokens.issuedRefresh[0]);
  });
});
