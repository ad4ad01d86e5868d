import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runtimes } from "../support/runtimes.ts";
import { freePort } from "../support/server.ts";
import {
  type Behaviour,
  DEFAULT_API_KEY,
  DEFAULT_PAT,
  startUpstream,
  type Upstream,
  type WrittenAuth,
  writeAuthFile,
} from "../upstream/index.ts";
import { APIS, readAuth, runCommand, sleep, upstreamEnvironment } from "./login-support.ts";

const LOCAL_KEY = "local-key-5f0c1d2e3b4a59687766554433221100";
const WRONG_KEY = "sk-wrong-9a8b7c6d5e4f30211203f4e5d6c7b8a9";
const PASSWORD = "proxypass-77aa88bb99cc";
/** Any token or key of the kinds there are, also where its end was cut off. */
const SECRET_FORM = /eyJ[\w-]{16,}|\brt_[\w-]{12,}|\bsk-(?:test|wrong)-[\w-]{8,}|\bat-test-[\w-]{8,}/;
const RESPONSES = "/codex/responses";

/** Answers of upstream that repeat the secret it was sent, as a careless server does. */
const echoes = (secret: string): Behaviour[] => {
  const error = {
    message: `Cannot use Bearer ${secret} for this`,
    type: "invalid_request_error",
    code: null,
    param: null,
  };
  const page = { "content-type": "text/html" };
  return [
    { status: 400, body: { error } },
    { status: 400, body: { detail: `token=${secret}` } },
    { status: 401, body: { error: { ...error, code: "token_expired" } } },
    { status: 402, body: { error } },
    { status: 403, body: `<html><body>Blocked ${secret}</body></html>`, headers: page },
    { status: 404, body: { detail: secret } },
    { status: 429, body: { error: { ...error, type: "usage_limit_reached", resets_in_seconds: 60 } } },
    { status: 500, body: { error }, times: 9 },
    { status: 502, body: `<html>${secret}</html>`, headers: page, times: 9 },
    { status: 200, body: `<html>${secret}</html>`, headers: page },
    { status: 307, body: "", headers: { location: `http://127.0.0.1:1/?t=${secret}` } },
    { terminal: { failed: "server_error", message: error.message }, times: 9 },
    { terminal: { failed: "invalid_prompt", message: error.message } },
    { terminal: { error } },
    { malformedEvents: true },
    { cut: "mid-event", afterEvents: 4 },
    { cut: "before-headers", times: 9 },
  ];
};

/** Answers of the token endpoint that repeat the refresh token. */
const refreshEchoes = (secret: string): Behaviour[] => [
  { status: 400, body: { error: secret, error_description: `refresh_token ${secret} is unknown` } },
  { status: 401, body: { error: { code: "refresh_token_reused", message: `${secret} was used` } } },
  { status: 401, body: { error: { code: secret, message: secret } } },
  { status: 403, body: `<html>${secret}</html>`, headers: { "content-type": "text/html" } },
  { status: 500, body: `at refresh(${secret})` },
  { status: 302, body: "", headers: { location: `http://127.0.0.1:1/${secret}` } },
  { status: 200, body: `{"access_token": 5, "refresh_token": "${secret}` },
  { cut: "before-headers" },
];

describe.each(runtimes)("no token or key of a server on $name", (runtime) => {
  let upstream: Upstream;
  let home: string;
  let codexHome: string;
  let url: string;
  let watcher: ReturnType<typeof watchProcesses>;
  const secrets = new Set([LOCAL_KEY, WRONG_KEY, DEFAULT_API_KEY, DEFAULT_PAT]);
  /** What anybody was shown: answers with their headers, and what commands wrote. */
  const shown: string[] = [];
  const env = (): Record<string, string> => ({
    ...upstreamEnvironment(upstream),
    CODEX_HOME: codexHome,
    CODEX_PROXY_PORT: new URL(url).port,
    CODEX_PROXY_LOG_LEVEL: "debug",
    CODEX_PROXY_API_KEY: LOCAL_KEY,
    HTTPS_PROXY: `http://somebody:${PASSWORD}@127.0.0.1:1`,
  });
  const command = async (args: readonly string[], stdin = "") => {
    const run = await runCommand(runtime, args, { home, env: env(), stdin }).done;
    shown.push(run.stdout, run.stderr);
    return run;
  };
  const signIn = (kind: "chatgpt" | "apikey" | "pat", expiresIn = 3600): WrittenAuth => {
    const written = writeAuthFile(codexHome, kind, { expiresIn });
    for (const name of ["id_token", "access_token", "refresh_token"] as const) {
      const token = (written.content.tokens as Record<string, string> | undefined)?.[name];
      if (token !== undefined) secrets.add(token);
    }
    return written;
  };
  const ask = async (path: string, body: unknown, headers: Record<string, string> = {}): Promise<number> => {
    const response = await fetch(url + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${LOCAL_KEY}`, ...headers },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    shown.push(JSON.stringify([...response.headers]), await response.text().catch((error) => String(error)));
    return response.status;
  };
  /** One request for each API, whole and streamed. */
  const askAll = async (before: () => void = () => {}): Promise<number[]> => {
    const statuses: number[] = [];
    for (const api of APIS) {
      for (const stream of [false, true]) {
        before();
        statuses.push(await ask(api.path, { ...api.body("hello"), stream }));
      }
    }
    return statuses;
  };

  beforeAll(async () => {
    upstream = await startUpstream();
    home = mkdtempSync(join(tmpdir(), "codex-api-proxy-secrets-"));
    codexHome = join(home, ".codex");
    mkdirSync(codexHome);
    url = `http://127.0.0.1:${await freePort()}`;
    signIn("chatgpt");
    watcher = watchProcesses(home);
    expect(await command(["start"])).toMatchObject({ code: 0 });
  });
  afterAll(async () => {
    await command(["stop"]);
    await watcher.stop();
    await upstream?.close();
    rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });

  it("is needed for the server to work, with keys and debug logging", async () => {
    expect(await askAll()).toEqual([200, 200, 200, 200, 200, 200]);
    expect(await ask("/v1/responses", {}, { authorization: `Bearer ${WRONG_KEY}` })).toBe(401);
    expect(await ask("/v1/messages", {}, { authorization: "", "x-api-key": WRONG_KEY })).toBe(401);
    for (const path of ["/ready", "/metrics", "/metrics/prometheus", "/quota", "/v1/models?refresh=1"]) {
      expect(await ask(path, undefined)).toBe(200);
    }
  });

  it("comes back from an upstream that repeats it in its errors", async () => {
    const { bearer } = signIn("chatgpt");
    for (const behaviour of echoes(bearer)) {
      upstream.reset();
      await askAll(() => {
        upstream.reset();
        upstream.script(RESPONSES, behaviour);
      });
      // A recovery from 401 has renewed the login by now.
      const { access_token, refresh_token, id_token } = readAuth(codexHome).tokens as Record<string, string>;
      for (const token of [access_token, refresh_token, id_token]) secrets.add(token as string);
    }
    signIn("apikey");
    for (const behaviour of echoes(DEFAULT_API_KEY).filter(({ status = 200 }) => status >= 400)) {
      upstream.reset();
      upstream.script(/^\/v1\//, { ...behaviour, times: 9 });
      await ask("/v1/chat/completions", APIS[0]?.body("hello"));
      await ask("/v1/embeddings", { model: "x", input: "y" });
      await ask("/v1/models?refresh=1", undefined);
    }
    upstream.reset();
  });

  it("comes back from a token endpoint that repeats it", async () => {
    for (const at of refreshEchoes("").keys()) {
      const { refreshToken = "" } = signIn("chatgpt", -60);
      upstream.reset();
      upstream.script("/oauth/token", refreshEchoes(refreshToken)[at] ?? {});
      for (const status of await askAll()) expect([200, 401, 503]).toContain(status);
    }
    upstream.reset();
    signIn("chatgpt", -60);
    expect(await askAll()).toEqual([200, 200, 200, 200, 200, 200]);
    for (const token of [...upstream.tokens.issuedAccess, ...upstream.tokens.issuedRefresh]) secrets.add(token);
    upstream.script(/whoami$/, { status: 500, body: `no ${DEFAULT_PAT}` });
    signIn("pat");
    await askAll();
  });

  it("is told of a broken auth.json, a broken body, or a prompt that holds one", async () => {
    const { content, bearer } = signIn("chatgpt");
    const text = JSON.stringify(content);
    for (const broken of [text.slice(0, -40), `${text}}`, JSON.stringify([content])]) {
      writeFileSync(join(codexHome, "auth.json"), broken, { mode: 0o600 });
      for (const status of await askAll()) expect(status).toBe(503);
      expect((await command(["whoami"])).code).toBe(1);
    }
    signIn("chatgpt");
    expect(await ask("/v1/chat/completions", `{"model":"gpt-5.5","messages":"${bearer}`)).toBe(400);
    const prompt = `[[say fine]] my file: ${text} and Authorization: Bearer ${bearer}`;
    const own = { "content-type": "application/json", authorization: `Bearer ${LOCAL_KEY}` };
    for (const api of APIS) {
      const response = await fetch(url + api.path, {
        method: "POST",
        headers: own,
        body: JSON.stringify(api.body(prompt)),
      });
      expect([response.status, await response.text()]).toEqual([200, expect.stringContaining("fine")]);
    }
  });

  it("is shown by a command", async () => {
    signIn("chatgpt");
    for (const args of [["status", "--verbose"], ["status", "--json"], ["doctor"], ["whoami", "--json"], ["logs"]]) {
      expect((await command(args)).stdout).not.toBe("");
    }
    await command(["login", "--with-api-key"], DEFAULT_API_KEY);
    signIn("chatgpt");
    await command(["logout"]);
  });

  it("was in any answer, output, log, file, argument or environment", async () => {
    await sleep(300);
    const log = readFileSync(join(home, ".codex-api-proxy", "codex-api-proxy.log"), "utf8");
    for (const event of [
      "chat_completion_input_messages",
      "token_refresh_failed",
      "token_refreshed",
      "upstream_repeat",
    ]) {
      expect(log).toContain(event);
    }
    const files = filesIn(home).filter((path) => path !== join(codexHome, "auth.json"));
    const places: [string, string][] = [
      ...shown.map((text, at): [string, string] => [`answer or output ${at}`, text]),
      ...files.map((path): [string, string] => [path, readFileSync(path, "utf8")]),
      ...watcher.commandLines().map((text): [string, string] => ["command line", text]),
    ];
    expect(leaksIn(places, [...secrets])).toEqual([]);
    // The proxy's address is a setting, kept in the private config.toml for `restart`.
    const isSetting = ([place]: readonly [string, string]): boolean => place.endsWith("config.toml");
    expect(
      leaksIn(
        places.filter((place) => !isSetting(place)),
        [PASSWORD],
      ),
    ).toEqual([]);
    expect(
      leaksIn(
        watcher.environments().map((text) => ["environment", text]),
        [...secrets],
      ),
    ).toEqual([]);
    for (const path of files.filter((file) => file.startsWith(`${home}/.codex`))) {
      expect([path, statSync(path).mode & 0o077]).toEqual([path, 0]);
    }
    if (existsSync("/proc/self/cmdline")) {
      expect(watcher.commandLines().filter((text) => text.includes("renew-login"))).not.toEqual([]);
      expect(watcher.environments().filter((text) => text.includes("CODEX_API_PROXY_RENEWAL"))).not.toEqual([]);
    }
  });
});

function leaksIn(places: readonly [place: string, text: string][], secrets: readonly string[]): string[] {
  return places.flatMap(([place, text]) => {
    const at = secrets.map((secret) => text.indexOf(secret)).find((index) => index >= 0) ?? text.search(SECRET_FORM);
    return at < 0 ? [] : [`${place}: …${text.slice(Math.max(0, at - 120), at + 60)}…`];
  });
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/**
 * Looks every few milliseconds at the arguments of all processes, and at the environment of those that the server has
 * started: commands get theirs from the test itself. Sees nothing where there is no /proc.
 */
function watchProcesses(home: string) {
  const commandLines = new Set<string>();
  const environments = new Set<string>();
  let over = false;
  const read = (pid: string, name: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${name}`, "utf8").replaceAll("\0", " ");
    } catch {
      return "";
    }
  };
  const look = (): void => {
    const pids = existsSync("/proc/self/cmdline") ? readdirSync("/proc").filter((name) => /^\d+$/.test(name)) : [];
    for (const pid of pids) {
      const commandLine = read(pid, "cmdline");
      if (pid === String(process.pid) || commandLine === "") continue;
      const environment = read(pid, "environ");
      if (!environment.includes(home)) continue;
      commandLines.add(commandLine);
      if (/ (serve|renew-login) ?$/.test(commandLine)) environments.add(environment);
    }
  };
  const watching = (async () => {
    for (; !over; await sleep(15)) look();
  })();
  return {
    commandLines: () => [...commandLines],
    environments: () => [...environments],
    stop: async () => {
      over = true;
      await watching;
    },
  };
}
