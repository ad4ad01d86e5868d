import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fromResponse } from "../../../src/stream/byte-source.ts";
import { handOn } from "../../../src/stream/hand-on.ts";
import { type AuthFileOverrides, startUpstream, type Upstream, writeAuthFile } from "../../upstream/index.ts";
import { createMachine, type Machine, type Outcome } from "./support/machine.ts";

const AUTH = "/home/user/.codex/auth.json";
const CODEX_CONFIG = "/home/user/.codex/config.toml";
const UPSTREAM_PORT = 9999;
const ENV = {
  CODEX_API_PROXY_CHATGPT_BASE_URL: `http://127.0.0.1:${UPSTREAM_PORT}/backend-api/codex`,
  CODEX_API_PROXY_OPENAI_BASE_URL: `http://127.0.0.1:${UPSTREAM_PORT}/v1`,
};

let upstream: Upstream;
let folder: string;
let machine: Machine;
/** Seconds that upstream's clock differs by. */
let skew: number;

beforeAll(async () => {
  upstream = await startUpstream();
  folder = mkdtempSync(join(tmpdir(), "doctor-"));
});
afterAll(async () => {
  await upstream.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  upstream.reset();
  skew = 0;
  machine = createMachine();
  machine.ports.set(UPSTREAM_PORT, async (request) => {
    const { pathname, search } = new URL(request.url);
    const headers = new Headers();
    request.headers.forEach((value, name) => {
      if (name !== "host") headers.set(name, value);
    });
    const body = request.method === "GET" ? null : ((await request.arrayBuffer()) as ArrayBuffer);
    const target = new URL(pathname + search, upstream.chatgptBaseUrl);
    const answer = await fetch(target, { method: request.method, headers, body });
    const date = new Date(Date.now() + skew * 1000).toUTCString();
    return {
      status: answer.status,
      headers: { ...Object.fromEntries(answer.headers), date },
      body: answer.body && handOn(fromResponse(answer)),
    };
  });
});

function signIn(kind: "chatgpt" | "apikey" = "chatgpt", overrides: AuthFileOverrides = {}): void {
  const { path } = writeAuthFile(folder, kind, overrides);
  machine.files.put(AUTH, readFileSync(path, "utf8"));
  (machine.files.modes as Map<string, number>).set(AUTH, 0o600);
}

const doctor = (...args: string[]): Promise<Outcome> => machine.cli(["doctor", ...args], { env: ENV });

/** The line on a label, with what to do where it is a ✗. */
function line(out: string, label: string): string | undefined {
  return out.match(new RegExp(`^[✓✗] ${label}: .*(?:\\n  → .*)?$`, "m"))?.[0];
}

describe("doctor", () => {
  it("shows every check and ends with 0 when all is well", async () => {
    signIn();
    const { code, out, err } = await doctor();
    expect(err).toBe("");
    expect(code).toBe(0);
    const [title, ...lines] = out.trimEnd().split("\n");
    expect(title).toBe("codex-api-proxy doctor");
    expect(lines.map((one) => /^✓ ([\w ]+): /.exec(one)?.[1])).toEqual([
      "config file",
      "auth file",
      "auth mode",
      "token expiry",
      "token refresh",
      "auth file mode",
      "keyring mode",
      "CA bundle",
      "upstream proxy",
      "models cache ttl",
      "local bind",
      "port",
      "runtime",
      "upstream models",
      "clock",
      "quota",
    ]);
    expect(line(out, "upstream proxy")).toBe("✓ upstream proxy: <none>, direct connection");
    expect(line(out, "upstream models")).toMatch(
      /^✓ upstream models: reachable, \d+ models \(\d+ classic, \d+ lite\)$/,
    );
    expect(line(out, "quota")).toContain("5 h window: 12 % used");
    expect(upstream.requests.filter(({ path }) => path.endsWith("/wham/usage"))).toHaveLength(1);
    expect(upstream.requests.filter(({ path }) => path.endsWith("/responses"))).toHaveLength(0);
  });

  it("--skip-upstream makes no call", async () => {
    signIn();
    const { code, out } = await doctor("--skip-upstream", "--proxy", "http://u:geheim@127.0.0.1:3128");
    expect(code).toBe(0);
    expect(line(out, "upstream models")).toBe("✓ upstream models: skipped");
    expect(out).not.toContain("geheim");
    expect(upstream.requests).toEqual([]);
  });

  it("--json tells the same to a machine", async () => {
    const { code, out } = await doctor("--json", "--skip-upstream");
    const report = JSON.parse(out) as { ok: boolean; checks: { label: string; ok: boolean; fix?: string }[] };
    expect(code).toBe(1);
    expect(report.ok).toBe(false);
    expect(report.checks.find(({ label }) => label === "auth file")).toMatchObject({ ok: false });
    for (const check of report.checks) expect(check.ok || check.fix).toBeTruthy();
  });

  it("works without a login of Codex where a variable has one", async () => {
    const env = { ...ENV, OPENAI_API_KEY: "sk-test" };
    const { out } = await machine.cli(["doctor", "--skip-upstream"], { env });
    expect(line(out, "auth file")).toBe("✓ auth file: none; OPENAI_API_KEY is used");
    expect(out).not.toContain("sk-test");
  });

  it("counts an API key's models, which have neither lanes nor a plan", async () => {
    signIn("apikey");
    const { code, out } = await doctor();
    expect(code).toBe(0);
    expect(line(out, "auth mode")).toContain("api_key");
    expect(line(out, "upstream models")).toMatch(/^✓ upstream models: reachable, \d+ models$/);
    expect(line(out, "quota")).toContain("an API key has no plan");
  });

  interface Trouble {
    readonly label: string;
    readonly prepare: () => unknown;
    readonly args?: readonly string[];
    readonly env?: Record<string, string>;
    readonly says: RegExp;
  }
  const hour = 3600;
  it.each<Trouble>([
    { label: "auth file", prepare: () => {}, says: /missing\n {2}→ .*login/ },
    { label: "auth file", prepare: () => machine.files.put(AUTH, "{"), says: /auth\.json: .*\n {2}→ .*login/ },
    {
      label: "keyring mode",
      prepare: () => machine.files.put(CODEX_CONFIG, 'cli_auth_credentials_store = "keyring"\n'),
      says: /keyring.*\n {2}→ set cli_auth_credentials_store = "file"/,
    },
    { label: "auth file mode", prepare: () => chmod(0o644), says: /0644.*\n {2}→ chmod 600/ },
    {
      label: "token expiry",
      prepare: () => signIn("chatgpt", { expiresIn: -hour, tokens: { refresh_token: undefined } }),
      says: /expired 1 h.*\n {2}→ .*login/,
    },
    {
      label: "token refresh",
      prepare: () => signIn("chatgpt", { tokens: { refresh_token: undefined } }),
      says: /no refresh token\n {2}→ .*login/,
    },
    {
      label: "CA bundle",
      prepare: () => signIn(),
      env: { SSL_CERT_FILE: "/nowhere.pem" },
      says: /nowhere\.pem.*\n {2}→ correct or unset SSL_CERT_FILE/,
    },
    {
      label: "upstream proxy",
      prepare: () => signIn(),
      args: ["--proxy", "http://127.0.0.1:3128"],
      says: /cannot be reached: .*ECONNREFUSED.*\n {2}→ check its address/,
    },
    {
      label: "local bind",
      prepare: () => signIn(),
      args: ["--host", "0.0.0.0"],
      says: /without a key\n {2}→ set --api-key/,
    },
    {
      label: "port",
      prepare: () => void machine.ports.set(8765, () => ({ status: 200, headers: {}, body: "another program" })),
      says: /in use.*\n {2}→ .*--port/,
    },
    {
      label: "upstream models",
      prepare: () => {
        signIn();
        upstream.script("/models", { status: 503, body: { detail: "down" } });
        upstream.script("/models", { status: 503, body: { detail: "down" } });
        upstream.script("/models", { status: 503, body: { detail: "down" } });
        upstream.script("/models", { status: 503, body: { detail: "down" } });
      },
      says: /^✗.*\n {2}→ see the checks above/,
    },
    {
      label: "clock",
      prepare: () => {
        signIn();
        skew = hour;
      },
      says: /behind upstream's.*\n {2}→ set this machine's clock/,
    },
    {
      label: "settings",
      prepare: () => signIn(),
      args: ["--api-key-file", "/nowhere.txt"],
      says: /nowhere\.txt cannot be read\n {2}→ correct the setting/,
    },
  ])("says of $label what is wrong and what to do", async ({ label, prepare, args = [], env = {}, says }) => {
    await prepare();
    const { code, out } = await machine.cli(["doctor", ...args], { env: { ...ENV, ...env } });
    expect(code).toBe(1);
    expect(line(out, label)).toMatch(says);
    expect(line(out, label)?.[0]).toBe("✗");
  });

  function chmod(mode: number): void {
    signIn();
    (machine.files.modes as Map<string, number>).set(AUTH, mode);
  }

  it("knows the own server by its port", async () => {
    await machine.cli(["start", "--demo"]);
    const { code, out } = await doctor("--demo");
    expect(code).toBe(0);
    expect(line(out, "port")).toMatch(/held by codex-api-proxy with pid \d+$/);
  });

  it("--live tries every endpoint and feature through the running server, and prints a table", async () => {
    await machine.cli(["start", "--demo"]);
    const { code, out } = await doctor("--demo", "--live");
    expect(out).toMatch(/^ +text {2}stream {2}tool call {2}image {2}structured output {2}cache$/m);
    for (const path of ["/v1/chat/completions", "/v1/responses", "/v1/messages"]) {
      expect(out).toMatch(new RegExp(`^${path}(?: +✓){6}$`, "m"));
    }
    expect(code).toBe(0);
    const metrics = (await (await machine.request(8765, "/metrics")).json()) as { requests_ok: number };
    expect(metrics.requests_ok).toBeGreaterThanOrEqual(21);
  });

  it("--live starts a server of its own where none runs, and says what to do where an endpoint fails", async () => {
    signIn();
    upstream.script("/codex/responses", { fixture: "http-429-usage_limit_reached.json" });
    const { code, out } = await doctor("--live", "--json");
    expect(code).toBe(1);
    const { live } = JSON.parse(out) as { live: { endpoint: string; feature: string; ok: boolean; fix?: string }[] };
    expect(live).toHaveLength(18);
    expect(live[0]).toMatchObject({ endpoint: "/v1/chat/completions", feature: "text", ok: false });
    expect(live[0]?.fix).toContain("window opens again");
    expect(live.find(({ endpoint, feature }) => endpoint === "/v1/messages" && feature === "text")?.ok).toBe(true);
    expect([...machine.ports.keys()]).toEqual([UPSTREAM_PORT]);
  });
});

describe("status --refresh", () => {
  it("asks upstream for the plan's windows by one call", async () => {
    signIn();
    const { out } = await machine.cli(["status", "--refresh"], { env: ENV });
    expect(out).toContain("5 h window: 12 % used");
    expect(upstream.requests.map(({ path }) => path.split("/").at(-1))).toEqual(["usage"]);
  });
});
