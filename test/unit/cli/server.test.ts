import { parse } from "smol-toml";
import { beforeEach, describe, expect, it } from "vitest";
import { sha256Hex } from "../../../src/http/local-auth.ts";
import { createMachine, type Machine, STATE } from "./support/machine.ts";

const KEY = "local-secret-key";
const PID_FILE = `${STATE}/codex-api-proxy.pid`;
const CONFIG = `${STATE}/config.toml`;

let machine: Machine;
beforeEach(() => {
  machine = createMachine();
});

const start = (...args: string[]) => machine.cli(["start", "--demo", ...args]);
const pidOf = (out: string): number => Number(/pid (\d+)/.exec(out)?.[1]);
const config = () => parse(machine.files.get(CONFIG) ?? "");

describe("start", () => {
  it("returns when the server answers, and shows what is in effect", async () => {
    const { code, out, err } = await start("--fast", "--verbosity", "low", "--proxy", "http://u:geheim@proxy:3128");
    const pid = pidOf(out);
    expect(out).toBe(
      [
        `codex-api-proxy started with pid ${pid}`,
        `config: ${CONFIG}`,
        `log: ${STATE}/codex-api-proxy.log`,
        "effective parameters:",
        "  host: 127.0.0.1",
        "  port: 8765",
        "  api_key: <none>",
        "  proxy: http://u:***@proxy:3128/",
        "  log_level: info",
        "  log_format: text",
        "  models_cache_ttl: 300",
        "  fast: true",
        "  reasoning_effort: <request/default>",
        "  verbosity: low",
        "  service_tier: <request/default>",
        `  pid_file: ${PID_FILE}`,
        "api endpoints:",
        "  base_url: http://127.0.0.1:8765/v1",
        "  chat_completions_url: http://127.0.0.1:8765/v1/chat/completions",
        "",
      ].join("\n"),
    );
    expect([code, err]).toEqual([0, ""]);
    expect((await machine.request(8765, "/health")).status).toBe(200);
    expect(machine.files.get(PID_FILE)).toBe(`${pid}\n`);
    expect(machine.files.get(`${STATE}/codex-api-proxy.log`)).toContain('"event":"listening"');
  });

  it("tells a newcomer that there is no login, and what to do; the server runs and waits for one", async () => {
    const without = await machine.cli(["start"]);
    expect([without.code, without.err]).toEqual([0, expect.stringMatching(/^WARNING: not signed in: .*codex login/)]);
    await machine.cli(["stop"]);
    machine.files.put("/home/user/.codex/auth.json", "{}");
    expect((await machine.cli(["start"])).err).toBe("");
  });

  it("hands every setting to the server, and keeps it for restart", async () => {
    const options = ["--reasoning-effort", "low", "--service-tier", "priority", "--no-fast", "--strict"];
    await start(...options, "--model-alias", "a=b", "--model-alias", "c=d", "--log-level", "debug");
    expect(config()).toMatchObject({
      demo: true,
      fast: false,
      log_level: "debug",
      model_alias: ["a=b", "c=d"],
      reasoning_effort: "low",
      service_tier: "priority",
      strict: true,
    });
    expect(Object.keys(config())).toEqual(Object.keys(config()).sort());
    const child = [...machine.processes.values()].find(({ args }) => args[0] === "serve");
    expect(JSON.parse(child?.env.CODEX_API_PROXY_SETTINGS ?? "")).toMatchObject({
      reasoning_effort: "low",
      service_tier: "priority",
      log_level: "debug",
    });
  });

  it.each([
    ["as an option", ["--api-key", KEY], {}],
    ["in the environment", [], { CODEX_PROXY_API_KEY: KEY }],
    ["on standard input", ["--api-key", "-"], {}],
  ])("keeps a key given %s out of arguments, files and the server's environment", async (_how, args, env) => {
    const { code, out } = await machine.cli(["start", "--demo", ...args], { env, stdin: `${KEY}\n` });
    expect(code).toBe(0);
    expect(out).toContain("api_key: <redacted>");
    expect([...machine.files.texts.values()].join("")).not.toContain(KEY);
    const child = machine.processes.get(pidOf(out));
    expect(JSON.stringify([child?.args, child?.env])).not.toContain(KEY);
    expect(config().api_key).toBe(`sha256:${await sha256Hex(KEY)}`);
    expect((await machine.request(8765, "/v1/models")).status).toBe(401);
    expect((await machine.request(8765, "/v1/models", { authorization: `Bearer ${KEY}` })).status).toBe(200);
  });

  it("writes private files only", async () => {
    await start();
    for (const [path, mode] of machine.files.modes) expect([path, mode]).toEqual([path, 0o600]);
  });

  it("tells that the wished server runs already", async () => {
    const pid = pidOf((await start("--port", "9000")).out);
    for (const args of [[], ["--port", "9000"], ["--demo"]]) {
      const again = await machine.cli(["start", ...args]);
      expect(again).toEqual({ code: 0, out: `codex-api-proxy already running with pid ${pid}\n`, err: "" });
    }
  });

  it("refuses other settings than those of the running server in words", async () => {
    await start();
    const again = await machine.cli(["start", "--port", "9000", "--log-level", "debug"]);
    expect(again.code).toBe(1);
    expect(again.err).toMatch(/already running with pid \d+ and other settings \(--port, --log-level\); .*restart/);
    expect(machine.ports.has(9000)).toBe(false);
  });

  it("gives one server when called several times at once", async () => {
    const outcomes = await Promise.all([start(), start(), start()]);
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(outcomes.filter(({ out }) => out.includes("started with pid"))).toHaveLength(1);
    expect([...machine.processes.values()].filter(({ args, alive }) => alive && args[0] === "serve")).toHaveLength(1);
  });

  it("says why the server could not start, with its log's last lines", async () => {
    machine.ports.set(8765, () => ({ status: 200, headers: {}, body: null }));
    const { code, out, err } = await start();
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain("ERROR: codex-api-proxy could not start; see ");
    expect(err).toContain("last lines of its log:\n  ERROR: port 8765 is already in use");
    expect((await machine.cli(["status"])).code).toBe(1);
  });

  it.each([
    [["--host", "0.0.0.0"], "ERROR: --host 0.0.0.0 exposes codex-api-proxy beyond localhost. Set --api-key"],
    [["--api-key", ""], "ERROR: --api-key is empty; give the key"],
    [["--port", "x"], "ERROR: --port must be a whole number from 0 to 65535"],
    [["--prot", "1"], "ERROR: unknown option --prot; did you mean --port?"],
    [["--port"], "ERROR: --port needs a value"],
    [["here"], 'ERROR: start takes no argument "here"'],
    [["--foreground=maybe"], "ERROR: --foreground takes no value"],
    [["--api-key", "-"], "ERROR: --api-key - reads the key from standard input, which is empty"],
  ])("%j is told in a line, with exit code 2 and no server", async (args, message) => {
    const { code, out, err } = await machine.cli(["start", ...args]);
    expect(err).toContain(message);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
    expect([code, out]).toEqual([2, ""]);
    expect(machine.ports.size).toBe(0);
  });
});

describe("start --foreground, and no command at all", () => {
  async function until(condition: () => boolean): Promise<void> {
    for (let tries = 0; !condition(); tries++) {
      if (tries > 500) throw new Error("it did not come to pass");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  it("logs to the terminal, is on record, drains and ends with 0", async () => {
    const { pid, outcome } = machine.begin(["start", "--foreground", "--demo"]);
    await until(() => machine.files.get(PID_FILE) === `${pid}\n`);
    expect((await machine.cli(["status"])).out).toContain(`codex-api-proxy running with pid ${pid}`);
    expect((await machine.cli(["stop"])).out).toBe(`codex-api-proxy stopped pid ${pid}\n`);
    const { code, out, err } = await outcome;
    expect(code).toBe(0);
    expect(out).toMatch(/^codex-api-proxy \S+ listening on http:\/\/127.0.0.1:8765\n$/);
    expect(err).toMatch(/codex_api_proxy.server \{.*"event":"listening"/);
    expect(err).toContain('"event":"stopped"');
    expect(machine.files.get(PID_FILE)).toBeUndefined();
  });

  it("serves in the foreground though its files cannot be written", async () => {
    machine.files.fail.writeTextAtomic = Object.assign(new Error("read-only"), { code: "EROFS" });
    const { pid, outcome } = machine.begin(["start", "--foreground", "--demo"]);
    await until(() => machine.ports.has(8765));
    expect((await machine.request(8765, "/health")).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const callback of machine.processes.get(pid)?.shutdown ?? []) callback();
    const { code, err } = await outcome;
    expect([code, err.includes('"event":"not_recorded"')]).toEqual([0, true]);
  });

  it("serves from the environment alone where there is no terminal, though its files cannot be written", async () => {
    machine.files.fail.writeTextAtomic = Object.assign(new Error("read-only"), { code: "EROFS" });
    const env = { CODEX_PROXY_DEMO: "1", CODEX_PROXY_PORT: "9100", CODEX_PROXY_LOG_FORMAT: "json" };
    const { pid, outcome } = machine.begin([], { env });
    await until(() => machine.ports.has(9100));
    expect((await machine.request(9100, "/health")).status).toBe(200);
    await until(() => (machine.processes.get(pid)?.shutdown.length ?? 0) > 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const callback of machine.processes.get(pid)?.shutdown ?? []) callback();
    const { code, err } = await outcome;
    expect(code).toBe(0);
    for (const line of err.trimEnd().split("\n")) expect(JSON.parse(line)).toHaveProperty("ts");
  });

  it("shows state and next step on a terminal", async () => {
    const fresh = await machine.cli([], { terminal: true });
    expect(fresh.code).toBe(0);
    expect(fresh.out).toMatch(/not signed in: .*\nserver: not running\n\nnext: codex-api-proxy login/s);
    machine.files.put("/home/user/.codex/auth.json", '{"OPENAI_API_KEY":"sk-test"}');
    expect((await machine.cli([], { terminal: true })).out).toContain("next: codex-api-proxy start");
    await start();
    const running = await machine.cli([], { terminal: true });
    expect(running.out).toMatch(/server: running: http:\/\/127.0.0.1:8765\/v1, pid \d+/);
    expect(running.out).toContain("next: codex-api-proxy setup");
  });

  it("tells of an access token that has expired, and of one that nobody can renew", async () => {
    const part = (value: object): string => btoa(JSON.stringify(value)).replaceAll("=", "");
    const token = `${part({ alg: "none" })}.${part({ exp: 1_000_000, email: "ann@example.com" })}.x`;
    const put = (tokens: object): void => machine.files.put("/home/user/.codex/auth.json", JSON.stringify({ tokens }));
    put({ id_token: token, access_token: token, refresh_token: "r" });
    const renewable = await machine.cli([], { terminal: true });
    expect(renewable.out).toContain(
      "ann@example.com; its access token has expired and is renewed with the next request\n",
    );
    expect(renewable.out).toContain("next: codex-api-proxy start");
    put({ id_token: token, access_token: token });
    const lost = await machine.cli([], { terminal: true });
    expect(lost.out).toMatch(/has expired and cannot be renewed\n.*next: codex-api-proxy login/s);
  });

  it("takes new keys from the key file at SIGHUP", async () => {
    machine.files.put("/keys", "first\n");
    const pid = pidOf((await start("--api-key-file", "/keys")).out);
    const ask = async (key: string) =>
      (await machine.request(8765, "/v1/models", { authorization: `Bearer ${key}` })).status;
    expect([await ask("first"), await ask("second")]).toEqual([200, 401]);
    machine.files.put("/keys", "second\n");
    for (const callback of machine.processes.get(pid)?.reload ?? []) callback();
    await until(() => machine.files.get(`${STATE}/codex-api-proxy.log`)?.includes("reloaded") === true);
    expect([await ask("first"), await ask("second")]).toEqual([401, 200]);
  });
});

describe("SIGHUP", () => {
  const log = (): string => machine.files.get(`${STATE}/codex-api-proxy.log`) ?? "";
  const edit = (change: (text: string) => string): void =>
    machine.files.put(CONFIG, change(machine.files.get(CONFIG) ?? ""));
  async function reload(pid: number): Promise<string> {
    const before = log().length;
    for (const callback of machine.processes.get(pid)?.reload ?? []) callback();
    await expect.poll(() => log().slice(before)).toMatch(/"event":"reload(ed|_failed)"/);
    return log().slice(before);
  }

  it("applies what was changed in config.toml, and names what needs a restart", async () => {
    const pid = pidOf((await start("--api-key", KEY)).out);
    const ask = async (key: string) => (await machine.request(8765, "/v1/models", { "x-api-key": key })).status;
    edit((text) =>
      text
        .replace(/^api_key = .*$/m, 'api_key = "other-key"')
        .replace('"info"', '"debug"')
        .replace("8765", "9000"),
    );
    const told = await reload(pid);
    expect(told).toContain('"changed":["api_key","log_level"],"restart_needed_for":["port"]');
    expect([await ask(KEY), await ask("other-key")]).toEqual([401, 200]);
    expect((await machine.cli(["status", "--json"])).code).toBe(0);
    edit((text) => text.replace('"debug"', '"error"'));
    for (const callback of machine.processes.get(pid)?.reload ?? []) callback();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = log().length;
    await ask("other-key");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(log().slice(before)).toBe("");
  });

  it.each([
    ["port = = 1", "cannot be read as TOML"],
    ['log_level = "loud"', "must be one of"],
    ['host = "127.0.0.1"', "exposes codex-api-proxy"],
  ])("changes nothing for %j", async (text, message) => {
    const pid = pidOf((await start("--host", "0.0.0.0", "--api-key", KEY)).out);
    edit(() => text);
    expect(await reload(pid)).toContain(message);
    expect((await machine.request(8765, "/v1/models")).status).toBe(401);
    expect((await machine.request(8765, "/v1/models", { "x-api-key": KEY })).status).toBe(200);
  });
});

describe("status", () => {
  it("tells that nothing runs", async () => {
    expect(await machine.cli(["status"])).toEqual({ code: 1, out: "codex-api-proxy stopped\n", err: "" });
    expect(JSON.parse((await machine.cli(["status", "--json"])).out)).toMatchObject({ running: false });
  });

  it("tells where the server is, also one that needs a key", async () => {
    const pid = pidOf((await start("--host", "0.0.0.0", "--api-key", KEY)).out);
    const endpoints =
      "api endpoints:\n  base_url: http://127.0.0.1:8765/v1\n  chat_completions_url: http://127.0.0.1:8765/v1/chat/completions\n";
    const plain = await machine.cli(["status"]);
    expect(plain).toEqual({ code: 0, out: `codex-api-proxy running with pid ${pid}\n${endpoints}`, err: "" });
    const verbose = (await machine.cli(["status", "--verbose"])).out;
    expect(verbose).toContain(`config: ${CONFIG}\nlog: ${STATE}/codex-api-proxy.log\nruntime: node 20.20.0\n`);
    expect(verbose).toContain("quota: not seen yet");
    const json = JSON.parse((await machine.cli(["status", "--json"])).out);
    expect(json).toMatchObject({ running: true, pid, base_url: "http://127.0.0.1:8765/v1", quota: null });
  });

  it("shows no server that was killed, also when nobody has waited for it", async () => {
    const pid = pidOf((await start()).out);
    machine.kill(pid);
    const process = machine.processes.get(pid);
    if (process) process.zombie = true;
    expect((await machine.cli(["status"])).code).toBe(1);
    expect((await start()).out).toContain("started with pid");
  });
});

describe("stop", () => {
  it("ends the server and removes its files", async () => {
    const pid = pidOf((await start()).out);
    expect(await machine.cli(["stop"])).toEqual({ code: 0, out: `codex-api-proxy stopped pid ${pid}\n`, err: "" });
    expect(machine.signals).toEqual([`SIGTERM ${pid}`]);
    expect(machine.ports.size).toBe(0);
    expect(machine.files.get(PID_FILE)).toBeUndefined();
    expect(await machine.cli(["stop"])).toEqual({ code: 0, out: "codex-api-proxy is not running\n", err: "" });
  });

  it("has nothing to stop where no state can be written", async () => {
    machine.files.fail.makeDir = Object.assign(new Error("no"), { code: "EACCES", path: "/x" });
    expect(await machine.cli(["stop"])).toEqual({ code: 0, out: "codex-api-proxy is not running\n", err: "" });
  });

  it("kills a server that does not end by itself", async () => {
    const pid = pidOf((await start()).out);
    const process = machine.processes.get(pid);
    if (process) process.deaf = true;
    const { code, out } = await machine.cli(["stop"]);
    expect([code, out]).toEqual([0, `codex-api-proxy stopped pid ${pid} (it did not end by itself and was killed)\n`]);
    expect(machine.signals).toEqual([`SIGTERM ${pid}`, `SIGKILL ${pid}`]);
  });

  it("never signals a process that is not shown to be the server", async () => {
    const server = pidOf((await start()).out);
    machine.kill(server);
    const elsewhere = ["--port", "1", "--pid-file", "/other/pid", "--state-file", "/other/config.toml"];
    const stranger = machine.begin(["start", "--foreground", "--demo", ...elsewhere]);
    const record = machine.files.get(`${PID_FILE}.json`) ?? "";
    machine.files.put(PID_FILE, `${stranger.pid}\n`);
    machine.files.put(`${PID_FILE}.json`, record.replace(`"pid": ${server}`, `"pid": ${stranger.pid}`));
    expect((await machine.cli(["stop"])).out).toBe("codex-api-proxy is not running\n");
    machine.files.put(`${PID_FILE}.json`, "garbage");
    expect((await machine.cli(["stop"])).out).toBe("codex-api-proxy is not running\n");
    expect(machine.signals).toEqual([]);
    machine.kill(stranger.pid);
  });
});

describe("restart", () => {
  it("needs a server that was started before", async () => {
    const outcome = await machine.cli(["restart"]);
    expect([outcome.code, outcome.err]).toEqual([1, `codex-api-proxy config file not found: ${CONFIG}\n`]);
  });

  it("keeps the settings, changed by options and --unset", async () => {
    await start("--port", "9000", "--api-key", KEY, "--reasoning-effort", "high", "--verbosity", "low");
    const again = await machine.cli(["restart", "--verbosity", "medium", "--unset", "reasoning_effort"]);
    expect(again.code).toBe(0);
    expect(again.out).toMatch(/stopped pid \d+\n.*started with pid \d+/s);
    expect(again.out).toContain("reasoning_effort: <request/default>\n  verbosity: medium\n");
    expect(config()).toMatchObject({ port: 9000, verbosity: "medium" });
    expect(config()).not.toHaveProperty("reasoning_effort");
    expect((await machine.request(9000, "/v1/models")).status).toBe(401);
    expect((await machine.request(9000, "/v1/models", { "x-api-key": KEY })).status).toBe(200);
    await machine.cli(["restart", "--unset", "--api-key"]);
    expect((await machine.request(9000, "/v1/models")).status).toBe(200);
  });

  it("leaves a running server alone when the new settings cannot work", async () => {
    const pid = pidOf((await start()).out);
    expect((await machine.cli(["restart", "--host", "10.0.0.1"])).code).toBe(2);
    expect((await machine.cli(["restart", "--unset", "colour"])).code).toBe(2);
    expect((await machine.cli(["status"])).out).toContain(`running with pid ${pid}`);
  });

  it("reads a JSON config of old, and starts where nothing runs", async () => {
    machine.files.put(CONFIG, JSON.stringify({ port: 9000, demo: true, api_key: KEY, proxy: null, verbosity: "" }));
    const { code, out } = await machine.cli(["restart"]);
    expect(code).toBe(0);
    expect(out).toContain("port: 9000\n  api_key: <redacted>");
    expect(machine.files.get(CONFIG)).not.toContain(KEY);
  });

  it("names a config that cannot be read", async () => {
    machine.files.put(CONFIG, "port = = 1");
    expect((await machine.cli(["restart"])).err).toContain(`${CONFIG} cannot be read as TOML`);
    machine.files.put(CONFIG, 'port = "many"');
    expect((await machine.cli(["status"])).err).toContain("port in config.toml must be a whole number");
  });
});

describe("logs", () => {
  it("shows the end of the log", async () => {
    expect((await machine.cli(["logs"])).code).toBe(1);
    machine.files.put(`${STATE}/codex-api-proxy.log`, "one\ntwo\nthree\n");
    expect((await machine.cli(["logs", "--lines", "2"])).out).toBe("two\nthree\n");
    expect((await machine.cli(["logs", "--lines", "x"])).code).toBe(2);
  });

  it("follows it, over a rotation too", async () => {
    const path = `${STATE}/codex-api-proxy.log`;
    machine.files.put(path, "one\n");
    const { pid, outcome } = machine.begin(["logs", "-f"]);
    const later = () => new Promise((resolve) => setTimeout(resolve, 60));
    await later();
    machine.files.put(path, "one\ntwo\n");
    await later();
    // Written after the last look, then set aside.
    machine.files.put(`${path}.1`, "one\ntwo\nthree\n");
    machine.files.put(path, "x\n");
    await later();
    for (const callback of machine.processes.get(pid)?.shutdown ?? []) callback();
    expect((await outcome).out).toBe("one\ntwo\nthree\nx\n");
  });
});
