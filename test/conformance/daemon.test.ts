import { execFile } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ROOT, type Runtime, runtimes } from "../support/runtimes.ts";
import { cleanEnvironment, freePort } from "../support/server.ts";

const KEY = "daemon-test-key-0123456789";

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The server in the background as a user meets it: real processes, files and ports. */
describe.each(runtimes.map((runtime) => [runtime.name, runtime] as const))("the daemon on %s", (_name, runtime) => {
  let home: string;
  let port: number;
  let state: string;

  const cli = (...args: string[]): Promise<Outcome> => command(runtime, home, args);
  const start = (...args: string[]) => cli("start", "--demo", "--port", String(port), ...args);
  const pid = (): number => Number(readFileSync(join(state, "codex-api-proxy.pid"), "utf8"));
  const healthy = async (): Promise<boolean> => {
    const response = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
    return response?.status === 200;
  };

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), "daemon-"));
    state = join(home, ".codex-api-proxy");
    port = await freePort();
  });
  afterEach(async () => {
    await cli("stop");
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  });

  test("starts, is seen, restarts with changed settings and stops", async () => {
    const started = await start("--api-key", KEY);
    expect(started, started.err).toMatchObject({ code: 0 });
    expect(started.out).toContain(`codex-api-proxy started with pid ${pid()}\n`);
    expect(await healthy()).toBe(true);

    const first = pid();
    expect((await cli("status")).out).toContain(`codex-api-proxy running with pid ${first}\napi endpoints:`);
    expect((await cli("start", "--demo")).out).toBe(`codex-api-proxy already running with pid ${first}\n`);
    expect((await cli("start", "--log-level", "debug")).code).toBe(1);
    expect((await cli("restart", "--log-level", "debug")).out).toContain("log_level: debug");
    expect(pid()).not.toBe(first);

    const models = (headers: Record<string, string>) =>
      fetch(`http://127.0.0.1:${port}/v1/models`, { headers }).then(({ status }) => status);
    expect([await models({}), await models({ "x-api-key": KEY })]).toEqual([401, 200]);

    expect((await cli("stop")).out).toBe(`codex-api-proxy stopped pid ${pidIn(await cli("logs"))}\n`);
    expect(await healthy()).toBe(false);
    expect(await cli("status")).toMatchObject({ code: 1, out: "codex-api-proxy stopped\n" });
    expect(await cli("stop")).toMatchObject({ code: 0, out: "codex-api-proxy is not running\n" });
  });

  test("leaves no key in arguments, environment or files, and keeps all of them private", async () => {
    expect(await start("--api-key", KEY)).toMatchObject({ code: 0 });
    for (const name of readdirSync(state)) {
      expect([name, (statSync(join(state, name)).mode & 0o777).toString(8)]).toEqual([name, "600"]);
      expect(readFileSync(join(state, name), "utf8")).not.toContain(KEY);
    }
    expect((statSync(state).mode & 0o777).toString(8)).toBe("700");
    if (!existsSync("/proc/self/environ")) return;
    for (const file of ["cmdline", "environ"]) {
      expect(readFileSync(`/proc/${pid()}/${file}`, "utf8")).not.toContain(KEY);
    }
  });

  test("closes a state folder and logs that others could read", async () => {
    mkdirSync(state);
    for (const name of ["codex-api-proxy.log", "codex-api-proxy.log.1", "config.toml"])
      writeFileSync(join(state, name), "");
    for (const name of readdirSync(state)) chmodSync(join(state, name), 0o644);
    chmodSync(state, 0o755);
    expect(await start()).toMatchObject({ code: 0 });
    expect((statSync(state).mode & 0o777).toString(8)).toBe("700");
    const modes = readdirSync(state).map((name) => (statSync(join(state, name)).mode & 0o777).toString(8));
    expect(new Set(modes)).toEqual(new Set(["600"]));
  });

  test("is one server though started several times at once", async () => {
    const outcomes = await Promise.all([start(), start(), start()]);
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(outcomes.filter(({ out }) => out.includes("started with pid"))).toHaveLength(1);
    expect(await healthy()).toBe(true);
  });

  test("is started anew after it was killed", async () => {
    await start();
    const killed = pid();
    process.kill(killed, "SIGKILL");
    await expect.poll(healthy).toBe(false);
    expect((await cli("status")).code).toBe(1);
    expect((await start()).out).toContain("started with pid");
    expect(pid()).not.toBe(killed);
  });

  test("tells a taken port, and has no part in the process that a stale pid belongs to", async () => {
    const other = createServer().listen(port, "127.0.0.1");
    try {
      await expect.poll(() => other.listening).toBe(true);
      const { code, err } = await start();
      expect(code).toBe(1);
      expect(err).toMatch(/could not start.*\n.*last lines of its log:\n.*already in use/);
      writeFileSync(join(state, "codex-api-proxy.pid"), `${process.pid}\n`);
      const record = { pid: process.pid, start_mark: "another boot", host: "127.0.0.1", port };
      writeFileSync(join(state, "codex-api-proxy.pid.json"), JSON.stringify(record));
      // This very process would be ended.
      expect((await cli("stop")).out).toBe("codex-api-proxy is not running\n");
    } finally {
      other.close();
    }
  });
});

const pidIn = ({ out }: Outcome): string | undefined => [...out.matchAll(/"pid":(\d+)/g)].at(-1)?.[1];

function command(runtime: Runtime, home: string, args: readonly string[]): Promise<Outcome> {
  const [file, ...rest] = runtime.command(join(ROOT, "dist", runtime.entry), args);
  const env = cleanEnvironment(home, join(home, ".codex")) as NodeJS.ProcessEnv;
  return new Promise((resolve) => {
    execFile(file, rest, { env, cwd: home, timeout: 50_000 }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err }),
    );
  });
}
