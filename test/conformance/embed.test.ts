import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT, runtimes } from "../support/runtimes.ts";
import { startUpstream, type Upstream, writeAuthFile } from "../upstream/index.ts";

/** The README's example of embedding, with a setting and a request. */
const script = (upstream: string): string => `
import { createApp } from ${JSON.stringify(join(ROOT, "dist/index.js"))};
const lines = [];
const app = createApp({ chatgpt_base_url: ${JSON.stringify(upstream)} }, { log: (text) => void lines.push(text) });
const ask = (path, init) => app.fetch(new Request("http://localhost" + path, init));
const health = await (await ask("/health")).json();
const body = JSON.stringify({ model: "gpt-5.5", messages: [{ role: "user", content: "hello" }] });
const chat = await (await ask("/v1/chat/completions", { method: "POST", body })).json();
const bad = await createApp({ log_level: "loud" }).fetch(new Request("http://localhost/health")).catch((error) => error.message);
await new Promise((resolve) => setTimeout(resolve, 300));
console.log(JSON.stringify({ health, text: chat.choices?.[0]?.message?.content, bad, logged: lines.join("").includes("/v1/chat/completions") }));
process.exit(0);
`;

describe.each(runtimes)("createApp embedded on $name", (runtime) => {
  let upstream: Upstream;
  const home = mkdtempSync(join(tmpdir(), "codex-api-proxy-embed-"));
  beforeAll(async () => {
    upstream = await startUpstream();
    writeAuthFile(home, "chatgpt");
  });
  afterAll(async () => {
    rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    await upstream?.close();
  });

  it("answers requests in the program's own process", async () => {
    const file = join(home, "embed.mjs");
    writeFileSync(file, script(upstream.chatgptBaseUrl));
    const [command, ...args] = runtime.command(file);
    const { execFile } = await import("node:child_process");
    const output = await new Promise<string>((resolve, reject) => {
      const env = { PATH: process.env.PATH, HOME: home, CODEX_HOME: home, DENO_DIR: join(ROOT, ".cache/deno") };
      execFile(command, args, { env, timeout: 30_000 }, (error, stdout, stderr) =>
        error ? reject(new Error(stderr)) : resolve(stdout),
      );
    });
    expect(JSON.parse(output)).toEqual({
      health: { ok: true, version: expect.any(String), uptime_seconds: expect.any(Number) },
      text: expect.stringContaining("hello"),
      bad: expect.stringContaining("log-level"),
      logged: true,
    });
  });

  it("has types that a strict TypeScript program accepts", () => {
    const file = join(home, "typed.ts");
    writeFileSync(
      file,
      `import { createApp, type AppSettings } from ${JSON.stringify(join(ROOT, "dist/index.js"))};
const settings: AppSettings = { log_level: "debug", strict: true };
export const answer: Promise<Response> = createApp(settings).fetch(new Request("http://localhost/health"));
`,
    );
    const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
    const flags = [
      "--noEmit",
      "--strict",
      "--target",
      "es2023",
      "--module",
      "nodenext",
      "--lib",
      "es2023,dom",
      "--types",
      "",
    ];
    execFileSync(process.execPath, [tsc, ...flags, file], { cwd: home, encoding: "utf8" });
  });
});
