import { execFile, execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VERSION } from "../../src/config/version.ts";
import { type Registry, startRegistry, type Tarball } from "../support/registry.ts";
import { ROOT, runtimes } from "../support/runtimes.ts";
import { freePort } from "../support/server.ts";

const INSTALL_MS = 120_000;
const folder = mkdtempSync(join(tmpdir(), "codex-api-proxy-install-"));
const programs = join(folder, "programs");
let registry: Registry;

/** The runtimes by the names that a user types; Node and npm where they are. */
function linkPrograms(): void {
  mkdirSync(programs);
  const binary = (name: string): string | undefined => runtimes.find((one) => one.name === name)?.command("")[0];
  for (const [name, links] of [
    ["bun", ["bun", "bunx"]],
    ["deno", ["deno"]],
  ] as const) {
    const target = binary(name);
    if (target !== undefined) for (const link of links) symlinkSync(target, join(programs, link));
  }
}

function pack(source: string): Tarball {
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const [packed] = JSON.parse(execFileSync("npm", args, { cwd: source, encoding: "utf8", stdio: "pipe" }));
  const manifest = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
  return { path: join(folder, packed.filename), manifest };
}

interface Session {
  readonly home: string;
  run(command: readonly string[], path?: string): Promise<string>;
}

/** A user of this machine for the first time: no caches, no configuration but the registry's address. */
function newUser(): Session {
  const home = mkdtempSync(join(folder, "home with space-"));
  const PATH = [programs, dirname(process.execPath), "/usr/local/bin", "/usr/bin", "/bin"].join(delimiter);
  return {
    home,
    run([file = "", ...args], path = PATH) {
      const env = { PATH: path, HOME: home, NPM_CONFIG_REGISTRY: registry.url };
      // The registry is this very process: it must be free to answer.
      return new Promise((resolve, reject) => {
        const options = { cwd: home, env, timeout: INSTALL_MS };
        const child = execFile(join(folderOf(file, path), file), args, options, (error, stdout) =>
          error ? reject(error) : resolve(stdout),
        );
        child.stdin?.end();
      });
    },
  };
}

const folderOf = (file: string, path: string): string =>
  path.split(delimiter).find((one) => existsSync(join(one, file))) ?? "";

beforeAll(async () => {
  linkPrograms();
  registry = await startRegistry([pack(ROOT), pack(join(ROOT, "node_modules/gpt-tokenizer"))]);
}, INSTALL_MS);
afterAll(async () => {
  await registry?.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

/** Ways of running the package without installing it, and the runtime on which its server then is. */
const WAYS: readonly [command: string, runtime: RegExp][] = [
  ["npx -y codex-api-proxy", /^node /],
  ["bunx codex-api-proxy", /^node /],
  ["bunx --bun codex-api-proxy", /^bun /],
  ["deno run -A npm:codex-api-proxy", /^deno /],
];
const isTested = ([command]: (typeof WAYS)[number]): boolean =>
  command.startsWith("npx") || runtimes.some(({ name }) => command.startsWith(name));

describe("a first-time user's commands", () => {
  it.each(WAYS.filter(isTested))(
    "%s start, status and stop",
    async (command, runtime) => {
      const { home, run } = newUser();
      const way = command.split(" ");
      const port = await freePort();
      expect(await run([...way, "--version"])).toBe(`codex-api-proxy ${VERSION}\n`);
      const started = await run([...way, "start", "--demo", "--port", String(port)]);
      try {
        expect(started).toContain(`base_url: http://127.0.0.1:${port}/v1\n`);
        const status = JSON.parse(await run([...way, "status", "--json"]));
        expect(status).toMatchObject({ running: true, version: VERSION, runtime: expect.stringMatching(runtime) });
        expect(status.log).toBe(join(home, ".codex-api-proxy", "codex-api-proxy.log"));
        expect(await countTokens(port)).toBeGreaterThan(0);
      } finally {
        expect(await run([...way, "stop"])).toMatch(/^codex-api-proxy stopped pid \d+\n$/);
      }
    },
    INSTALL_MS,
  );

  it(
    "npm i -g gives the command",
    async () => {
      const { home, run } = newUser();
      const prefix = join(home, "prefix");
      await run(["npm", "install", "--global", "--prefix", prefix, "--no-audit", "--no-fund", "codex-api-proxy"]);
      const path = [join(prefix, "bin"), dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter);
      expect(await run(["codex-api-proxy", "--version"], path)).toBe(`codex-api-proxy ${VERSION}\n`);
      expect(await run(["codex-api-proxy", "service", "print"], path)).toContain("/prefix/bin/codex-api-proxy");
    },
    INSTALL_MS,
  );
});

/** Needs the tokenizer, the one package beside the program's own. */
async function countTokens(port: number): Promise<number> {
  const body = JSON.stringify({ model: "auto", messages: [{ role: "user", content: "How many tokens?" }] });
  const headers = { "content-type": "application/json" };
  const url = `http://127.0.0.1:${port}/v1/messages/count_tokens`;
  const answer = await fetch(url, { method: "POST", headers, body });
  return ((await answer.json()) as { input_tokens: number }).input_tokens;
}

describe("embedding the installed package", () => {
  let app: string;
  let session: Session;

  beforeAll(async () => {
    session = newUser();
    app = join(session.home, "app");
    mkdirSync(app);
    writeFileSync(join(app, "package.json"), '{"private":true,"type":"module"}');
    await session.run(["npm", "install", "--prefix", app, "--no-audit", "--no-fund", "codex-api-proxy"]);
  }, INSTALL_MS);

  const program = (settings: string): string => `
import { createApp } from "codex-api-proxy";
const app = createApp(${settings}, { log: (lines) => process.stderr.write(lines) });
const answer = await app.fetch(new Request("http://127.0.0.1/health"));
console.log(answer.status, ((await answer.json()) as { version: string }).version);
`;
  /** What the compiler has to say. */
  const check = (name: string, text: string): string => {
    writeFileSync(join(app, name), text);
    const options = {
      strict: true,
      noEmit: true,
      exactOptionalPropertyTypes: true,
      module: "nodenext",
      target: "es2023",
      types: ["bun"],
      typeRoots: [join(ROOT, "node_modules/@types")],
    };
    writeFileSync(join(app, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: [name] }));
    const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
    const { stdout } = spawnSync(process.execPath, [tsc, "-p", app], { encoding: "utf8" });
    // Bun's own types disagree with those of some Node versions.
    return stdout.replace(/^.*\/bun-types\/.*\n/gm, "");
  };

  it("is typed: settings and hooks that are right pass a strict compiler, wrong ones do not", () => {
    expect(check("right.ts", program("{ strict: true }"))).toBe("");
    expect(check("wrong.ts", program('{ log_level: "loud" }'))).toContain('"loud"');
    expect(check("unknown.ts", program('{ colour: "red" }'))).toContain("colour");
  });

  it("has the README's example right", () => {
    const [, example = ""] = /## Embed it\n\n```js\n([\s\S]*?)```/.exec(
      readFileSync(join(ROOT, "README.md"), "utf8"),
    ) as RegExpExecArray;
    expect(check("readme.ts", example)).toBe("");
  });

  it.each(runtimes)("runs on $name", (runtime) => {
    writeFileSync(join(app, "app.mjs"), program("{}").replace(/ as \{ version: string \}/, ""));
    const [file, ...args] = runtime.command(join(app, "app.mjs"));
    const env = { PATH: process.env.PATH, HOME: session.home };
    expect(execFileSync(file, args, { cwd: app, env, encoding: "utf8" })).toBe(`200 ${VERSION}\n`);
  });
});
