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
import { build } from "esbuild";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startUpstream } from "../../upstream/server.ts";
import { DEFAULT_ACCOUNT, mintIdToken, mintRefreshToken, mintToken } from "../../upstream/tokens.ts";
import type { Upstream } from "../../upstream/types.ts";

const folder = mkdtempSync(join(tmpdir(), "credentials-"));
const worker = join(folder, "worker.mjs");
let upstream: Upstream;
let home: string;
let authPath: string;

beforeAll(async () => {
  await build({
    entryPoints: [fileURLToPath(new URL("./support/worker.ts", import.meta.url))],
    outfile: worker,
    bundle: true,
    platform: "node",
    format: "esm",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
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

function start(requests: number): { child: ChildProcess; lines: Promise<string[]> } {
  const child = spawn(process.execPath, [worker, home, upstream.authIssuer, String(requests)], {
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

describe("processes on one auth.json", { timeout: 60_000 }, () => {
  it("spend no token twice, and all work with the one that was issued", async () => {
    signIn(-5);
    const outputs = await Promise.all(Array.from({ length: 4 }, () => start(20).lines));
    expect(upstream.tokens).toMatchObject({ refreshed: 1, reused: 0 });
    expect(new Set(outputs.flat())).toEqual(new Set([readAuth().tokens.access_token]));
    expect(outputs.flat()).toHaveLength(80);
    expect(statSync(authPath).mode & 0o777).toBe(0o600);
    expect(readAuth().unknown).toEqual([1]);
    expect(readdirSync(home)).toEqual(["auth.json"]);
  });

  it("end working beside a Codex that refreshes at the same time, on valid JSON at every instant", async () => {
    for (let round = 0; round < 5; round++) {
      signIn(-5);
      const running = [start(200), start(200)];
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
    const [token] = await start(1).lines;
    expect(readAuth().tokens.access_token).toBe(token);
    expect(lstatSync(authPath).isSymbolicLink()).toBe(true);
    expect(statSync(real).mode & 0o777).toBe(0o600);
  });

  it("that are killed leave valid JSON, and a login that works unless they die between answer and rename", async () => {
    signIn(-5);
    for (let kill = 0; kill < 20; kill++) {
      const { child, lines } = start(50);
      await new Promise((done) => setTimeout(done, 60 + kill * 6));
      child.kill("SIGKILL");
      await lines;
      expect(readAuth().unknown).toEqual([1]);
    }
    const [token] = await start(1).lines;
    expect(token).toBe(readAuth().tokens.access_token);
    expect(upstream.tokens.reused).toBe(0);
  });
});
