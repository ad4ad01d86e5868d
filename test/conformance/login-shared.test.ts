import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ROOT, type Runtime, runtimes } from "../support/runtimes.ts";
import type { RunningServer } from "../support/server.ts";
import { CLIENT_ID, startUpstream, type Upstream, writeAuthFile } from "../upstream/index.ts";
import { type Answer, ask, bearers, type Json, presented, readAuth, refreshes, serve, sleep } from "./login-support.ts";

const SERVERS = 4;
/** Codex refreshes with less than 300 s left: tokens that live this long are due again after four seconds. */
const SHORT_LIFE = 304;
/** Installed by the tests with real clients; without it its stand-in alone refreshes. */
const CODEX = join(ROOT, ".cache/clients/codex/node_modules/.bin/codex");
const unknown = { future_field: { kept: [1, "ü"] }, zz: null };

let upstream: Upstream;
let home: string;
let servers: RunningServer[];

beforeAll(async () => {
  upstream = await startUpstream();
  home = mkdtempSync(join(tmpdir(), "codex-api-proxy-shared-"));
  writeAuthFile(home, "chatgpt");
  const mixed = Array.from({ length: SERVERS }, (_, at) => runtimes[at % runtimes.length] as Runtime);
  servers = await Promise.all(mixed.map((runtime) => serve(runtime, upstream, home)));
});
beforeEach(() => {
  upstream.reset();
  upstream.tokens.accessSeconds = SHORT_LIFE;
  writeAuthFile(home, "chatgpt", { expiresIn: 120, fields: unknown });
});
afterAll(async () => {
  await Promise.all((servers ?? []).map((server) => server.stop()));
  await upstream?.close();
  rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

/** Requests to all servers, one after another at each, until the work is done. */
async function underTraffic(work: () => Promise<unknown>): Promise<Answer[]> {
  let over = false;
  const answers: Answer[] = [];
  const drive = async (server: RunningServer): Promise<void> => {
    for (let n = 0; !over; n++) {
      answers.push(await ask(server, n));
      await sleep(Math.random() * 60);
    }
  };
  const driving = Promise.all(servers.map(drive));
  await work().finally(() => {
    over = true;
  });
  await driving;
  return answers;
}

/** Reads auth.json every few milliseconds while the work goes on; gives what was wrong with it. */
async function watched(work: Promise<unknown>): Promise<{ looks: number; faults: string[] }> {
  const path = join(home, "auth.json");
  const faults: string[] = [];
  let looks = 0;
  let over = false;
  work
    .catch(() => {})
    .finally(() => {
      over = true;
    });
  for (; !over; looks++) {
    const text = readFileSync(path, "utf8");
    try {
      if (typeof JSON.parse(text).tokens.refresh_token !== "string") faults.push("no refresh token");
    } catch {
      faults.push(`no JSON: ${text.length} characters`);
    }
    const mode = statSync(path).mode & 0o777;
    if (mode !== 0o600) faults.push(`mode ${mode.toString(8)}`);
    await sleep(2);
  }
  return { looks, faults };
}

/** Refreshes as Codex does: no lock round the call; reads again, compares and renames after it. */
async function refreshLikeCodex(): Promise<void> {
  const before = readAuth(home);
  const response = await fetch(upstream.refreshTokenUrl, {
    method: "POST",
    headers: { "content-type": "application/json", "user-agent": "codex_exec/0.169.0" },
    body: JSON.stringify({
      client_id: CLIENT_ID,
      grant_type: "refresh_token",
      refresh_token: before.tokens.refresh_token,
      refresh_reason: "proactive_expiry",
    }),
  });
  if (!response.ok) return;
  const issued = (await response.json()) as object;
  const now = readAuth(home);
  if (now.tokens.refresh_token !== before.tokens.refresh_token) return;
  const temp = join(home, ".auth-test");
  writeFileSync(temp, JSON.stringify({ ...now, tokens: { ...now.tokens, ...issued } }, null, 2), { mode: 0o600 });
  renameSync(temp, join(home, "auth.json"));
}

async function runCodex(): Promise<void> {
  const config = [
    'model = "gpt-5.5"',
    'model_provider = "double"',
    `chatgpt_base_url = "${upstream.origin}/backend-api"`,
    "[model_providers.double]",
    'name = "double"',
    `base_url = "${upstream.chatgptBaseUrl}"`,
    'wire_api = "responses"',
    "requires_openai_auth = true",
    "supports_websockets = false",
  ];
  writeFileSync(join(home, "config.toml"), config.join("\n"));
  const env = { PATH: process.env.PATH, HOME: home, CODEX_HOME: home } as NodeJS.ProcessEnv;
  const child = spawn(CODEX, ["exec", "--skip-git-repo-check", "hello"], {
    cwd: home,
    env: { ...env, CODEX_REFRESH_TOKEN_URL_OVERRIDE: upstream.refreshTokenUrl },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let complaints = "";
  child.stdout.on("data", (bytes: Buffer) => {
    output += bytes.toString();
  });
  child.stderr.on("data", (bytes: Buffer) => {
    complaints += bytes.toString();
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect([code, output], complaints).toEqual([0, expect.stringContaining("You said:")]);
}

const isOurs = (request: { headers: Record<string, unknown> }): boolean =>
  String(request.headers["user-agent"]).includes("codex-api-proxy");
const failuresOf = (answers: readonly Answer[]): string[] =>
  answers.filter((answer) => !worked(answer)).map(({ status, text }) => `${status} ${text.slice(-300)}`);
const worked = ({ status, text }: Answer): boolean => status === 200 && text.includes("done.");

describe("four servers on one auth.json", () => {
  it("spend each refresh token once, under traffic, with tokens that expire again and again", async () => {
    const traffic = underTraffic(() => sleep(14_000));
    const { looks, faults } = await watched(traffic);
    const answers = await traffic;
    expect(failuresOf(answers)).toEqual([]);
    expect([answers.length > 100, looks > 500, faults]).toEqual([true, true, []]);
    expect(upstream.tokens.refreshed).toBeGreaterThanOrEqual(3);
    expect(upstream.tokens.reused).toBe(0);
    expect(new Set(presented(upstream)).size).toBe(upstream.tokens.refreshed);
    expect(readAuth(home)).toMatchObject({
      ...unknown,
      tokens: {
        refresh_token: upstream.tokens.issuedRefresh.at(-1),
        access_token: upstream.tokens.issuedAccess.at(-1),
      },
    });
  });

  it("renew an expired login once for 100 requests at the same time, and all use it", async () => {
    writeAuthFile(home, "chatgpt", { expiresIn: -60, fields: unknown });
    upstream.tokens.accessSeconds = 3600;
    const answers = await Promise.all(
      servers.flatMap((server) => Array.from({ length: 25 }, (_, n) => ask(server, n))),
    );
    expect(failuresOf(answers)).toEqual([]);
    expect([upstream.tokens.refreshed, upstream.tokens.reused]).toEqual([1, 0]);
    expect(new Set(bearers(upstream))).toEqual(new Set(upstream.tokens.issuedAccess));
  });

  it("adopt what Codex has renewed and written", async () => {
    writeAuthFile(home, "chatgpt", { expiresIn: 600, fields: unknown });
    upstream.tokens.accessSeconds = 3600;
    await Promise.all(servers.map((server) => ask(server)));
    await refreshLikeCodex();
    await Promise.all(servers.map((server) => ask(server)));
    expect(refreshes(upstream).filter(isOurs)).toEqual([]);
    expect(bearers(upstream).slice(SERVERS)).toEqual(Array(SERVERS).fill(upstream.tokens.issuedAccess[0]));
  });

  const codex: [string, () => Promise<void>][] = [["a stand-in for Codex", refreshLikeCodex]];
  if (existsSync(CODEX)) codex.push(["Codex CLI", runCodex]);
  it.each(codex)("and %s that refresh at the same time all end working", async (_name, refresh) => {
    const traffic = underTraffic(async () => {
      for (let round = 0; round < 4; round++) {
        await sleep(Math.random() * 100);
        await refresh();
        writeAuthFile(home, "chatgpt", { expiresIn: 30, fields: unknown });
        await Promise.all([refresh(), sleep(1_000)]);
      }
    });
    const { faults } = await watched(traffic);
    expect(failuresOf(await traffic)).toEqual([]);
    expect(faults).toEqual([]);
    const ours = refreshes(upstream).filter(isOurs);
    expect(new Set(ours.map(({ json }) => (json as Json).refresh_token)).size).toBe(ours.length);
    // Codex has no lock round its call, so that one of two may come too late; the login is not lost by that.
    expect(upstream.tokens.spentRefresh.has(readAuth(home).tokens.refresh_token)).toBe(false);
    const last = await Promise.all(servers.map((server) => ask(server)));
    expect(failuresOf(last)).toEqual([]);
  });
});
