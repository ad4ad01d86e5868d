import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startUpstream } from "../../upstream/server.ts";
import { DEFAULT_ACCOUNT, mintIdToken, mintRefreshToken, mintToken } from "../../upstream/tokens.ts";
import type { Upstream } from "../../upstream/types.ts";

const folder = mkdtempSync(join(tmpdir(), "credentials-"));
const worker = join(folder, "worker.mjs");
type Where = "inside" | "apart";

let upstream: Upstream;
let home: string;
let authPath: string;

beforeAll(async () => {
  await build({
    input: fileURLToPath(new URL("./support/worker.ts", import.meta.url)),
    output: { file: worker, format: "esm", codeSplitting: false },
    platform: "node",
    logLevel: "warn",
  });
  upstream = await startUpstream();
});
afterAll(async () => {
  await upstream.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  upstream.reset();
  home = mkdtempSync(join(folder, "home-"));
  authPath = join(home, "auth.json");
});

function signIn(expiresIn: number): void {
  const tokens = {
    id_token: mintIdToken(),
    access_token: mintToken({ expiresIn }),
    refresh_token: mintRefreshToken(),
    account_id: DEFAULT_ACCOUNT,
  };
  const file = {
    auth_mode: "chatgpt",
    OPENAI_API_KEY: null,
    tokens,
    last_refresh: "2026-01-01T00:00:00Z",
    unknown: [1],
  };
  writeFileSync(authPath, JSON.stringify(file, null, 2), { mode: 0o600 });
}

const readAuth = () => JSON.parse(readFileSync(authPath, "utf8"));

function start(requests: number, where: Where): { child: ChildProcess; lines: Promise<string[]> } {
  const child = spawn(process.execPath, [worker, home, upstream.authIssuer, String(requests), where], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout?.on("data", (chunk) => {
    text += chunk;
  });
  const lines = new Promise<string[]>((resolve) =>
    child.on("close", () => resolve(text.split("\n").filter((line) => line !== ""))),
  );
  return { child, lines };
}

/** Refreshes as Codex does: no lock around the call, compare and rename after it. */
async function refreshLikeCodex(): Promise<void> {
  const before = readAuth();
  const response = await fetch(`${upstream.authIssuer}/oauth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_id: "app_EMoamEEZ73f0CkXaXp7hrann",
      grant_type: "refresh_token",
      refresh_reason: "proactive_expiry",
      refresh_token: before.tokens.refresh_token,
    }),
  });
  if (!response.ok) return;
  const issued = (await response.json()) as object;
  const now = readAuth();
  if (now.tokens.refresh_token !== before.tokens.refresh_token) return;
  writeFileSync(join(home, ".auth-codex"), JSON.stringify({ ...now, tokens: { ...now.tokens, ...issued } }), {
    mode: 0o600,
  });
  renameSync(join(home, ".auth-codex"), authPath);
}

describe.each<Where>(["inside", "apart"])("processes on one auth.json, renewing %s", { timeout: 60_000 }, (where) => {
  it("spend no token twice, and all work with the one that was issued", async () => {
    signIn(-5);
    const outputs = await Promise.all(Array.from({ length: 4 }, () => start(20, where).lines));
    expect(upstream.tokens).toMatchObject({ refreshed: 1, reused: 0 });
    expect(new Set(outputs.flat())).toEqual(new Set([readAuth().tokens.access_token]));
    expect(outputs.flat()).toHaveLength(80);
    expect(statSync(authPath).mode & 0o777).toBe(0o600);
    expect(readAuth().unknown).toEqual([1]);
    expect(readdirSync(home, { recursive: true })).toEqual(where === "apart" ? ["auth.json", "state"] : ["auth.json"]);
  });

  it("end working beside a Codex that refreshes at the same time, on valid JSON at every instant", async () => {
    for (let round = 0; round < 5; round++) {
      signIn(-5);
      const running = [start(200, where), start(200, where)];
      let over = false;
      const all = Promise.all(running.map(({ lines }) => lines)).finally(() => {
        over = true;
      });
      await new Promise((done) => setTimeout(done, 40 + round * 15));
      await refreshLikeCodex();
      while (!over) {
        readAuth();
        await new Promise((done) => setTimeout(done, 1));
      }
      const last = (await all).map((lines) => lines.at(-1));
      expect(new Set(last)).toEqual(new Set([readAuth().tokens.access_token]));
    }
  });

  it("keep a symlink and tighten the mode", async () => {
    signIn(-5);
    const real = join(home, "real.json");
    renameSync(authPath, real);
    chmodSync(real, 0o644);
    symlinkSync(real, authPath);
    const [token] = await start(1, where).lines;
    expect(readAuth().tokens.access_token).toBe(token);
    expect(lstatSync(authPath).isSymbolicLink()).toBe(true);
    expect(statSync(real).mode & 0o777).toBe(0o600);
  });
});

describe("a server that is killed during a refresh", { timeout: 60_000 }, () => {
  it("never loses the login: the process that renews it goes on", async () => {
    for (let kill = 0; kill < 20; kill++) {
      signIn(-5);
      const asked = upstream.waitFor(({ path }) => path === "/oauth/token");
      const { child, lines } = start(50, "apart");
      await asked;
      await new Promise((done) => setTimeout(done, kill / 2));
      child.kill("SIGKILL");
      await lines;
      await start(1, "apart").lines;
      const [token] = await start(1, "apart").lines;
      expect(token).toBe(readAuth().tokens.access_token);
      expect(readAuth().unknown).toEqual([1]);
      expect(upstream.tokens).toMatchObject({ refreshed: 1, reused: 0 });
      upstream.reset();
    }
  });

  it("before the token is spent leaves a lock that is outwaited", async () => {
    signIn(-5);
    upstream.script("/oauth/token", { stallMs: 60_000, status: 503 });
    const asked = upstream.waitFor(({ path }) => path === "/oauth/token");
    const { child, lines } = start(1, "inside");
    await asked;
    child.kill("SIGKILL");
    await lines;
    const [token] = await start(1, "inside").lines;
    expect(token).toBe(readAuth().tokens.access_token);
    expect(upstream.tokens).toMatchObject({ refreshed: 1, reused: 0 });
  });
});
