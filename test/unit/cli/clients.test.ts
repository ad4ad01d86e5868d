import { parse } from "smol-toml";
import { beforeEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/json.ts";
import { createMachine, type Machine, STATE } from "./support/machine.ts";

const CLAUDE = "/home/user/.claude/settings.json";
const CODEX = "/home/user/.codex/config.toml";

let machine: Machine;
beforeEach(() => {
  machine = createMachine();
});

const json = (path: string): JsonObject => JSON.parse(machine.files.get(path) ?? "null");
const exported = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
const backups = () => [...machine.files.texts.keys()].filter((path) => path.includes(".backup-"));

describe("setup", () => {
  it("claude-code prints the running server's address, a model for each tier and the catalogue's limits", async () => {
    await machine.cli(["start", "--demo", "--port", "9000"]);
    const { code, out, err } = await machine.cli(["setup", "claude-code"]);
    expect(code).toBe(0);
    expect(err).toBe("");
    expect(exported(out)).toEqual({
      ANTHROPIC_BASE_URL: "http://127.0.0.1:9000",
      ANTHROPIC_AUTH_TOKEN: "unused",
      ANTHROPIC_MODEL: "demo-large",
      ANTHROPIC_DEFAULT_FABLE_MODEL: "demo-large",
      ANTHROPIC_DEFAULT_OPUS_MODEL: "demo-large",
      ANTHROPIC_DEFAULT_SONNET_MODEL: "demo-large",
      ANTHROPIC_DEFAULT_HAIKU_MODEL: "demo-small-luna",
      CLAUDE_CODE_MAX_CONTEXT_TOKENS: "272000",
      CLAUDE_CODE_AUTO_COMPACT_WINDOW: "272000",
      CLAUDE_CODE_MAX_OUTPUT_TOKENS: "128000",
      CLAUDE_CODE_ATTRIBUTION_HEADER: "0",
      CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY: "1",
    });
  });

  it("respects the server's aliases, and a model that the user names", async () => {
    await machine.cli(["start", "--demo", "--model-alias", "claude-sonnet=demo-small-luna"]);
    const byTier = exported((await machine.cli(["setup", "claude-code"])).out);
    expect(byTier.ANTHROPIC_DEFAULT_SONNET_MODEL).toBe("demo-small-luna");
    expect(byTier.ANTHROPIC_DEFAULT_OPUS_MODEL).toBe("demo-large");
    const named = exported((await machine.cli(["setup", "claude-code", "--model", "demo-small-luna"])).out);
    expect(named.ANTHROPIC_MODEL).toBe("demo-small-luna");
    expect(named.CLAUDE_CODE_MAX_CONTEXT_TOKENS).toBe("272000");
  });

  it("does without models and limits while the server does not run, and says so", async () => {
    const { code, out, err } = await machine.cli(["setup", "claude-code"]);
    expect(code).toBe(0);
    expect(out).toContain("ANTHROPIC_BASE_URL=http://127.0.0.1:8765");
    expect(out).not.toContain("CLAUDE_CODE_MAX_CONTEXT_TOKENS");
    expect(err).toContain("codex-api-proxy start");
  });

  it("--write merges into the client's file, keeps its mode and a copy of it, and changes nothing the second time", async () => {
    await machine.cli(["start", "--demo"]);
    const before = '{\n  "model": "opus", // mine\n  "env": { "FOO": "bar" }\n}\n';
    machine.files.put(CLAUDE, before);
    const mode = machine.files.modes.get(CLAUDE);
    expect((await machine.cli(["setup", "claude-code", "--write"])).out).toContain(`written: ${CLAUDE}`);
    const text = machine.files.get(CLAUDE) ?? "";
    expect(text).toContain('"model": "opus", // mine');
    expect(text).toContain('"FOO": "bar", "ANTHROPIC_BASE_URL": "http://127.0.0.1:8765"');
    expect(machine.files.modes.get(CLAUDE)).toBe(mode);
    expect(backups().map((path) => machine.files.get(path))).toEqual([before]);
    expect((await machine.cli(["setup", "claude-code", "--write"])).out).toContain("up to date");
    expect(backups()).toHaveLength(1);
  });

  it("--write leaves a file alone that it cannot read", async () => {
    machine.files.put(CLAUDE, "{ not json");
    const { code, err } = await machine.cli(["setup", "claude-code", "--write"]);
    expect(code).toBe(2);
    expect(err).toContain("put in by hand");
    expect(machine.files.get(CLAUDE)).toBe("{ not json");
    expect(backups()).toEqual([]);
  });

  it("codex gets a provider, and a variable for the key only where there is one", async () => {
    await machine.cli(["start", "--demo"]);
    machine.files.put(CODEX, '# mine\nmodel = "old" # why\n\n[tui]\ntheme = "x"\n');
    await machine.cli(["setup", "codex", "--write"]);
    expect(machine.files.get(CODEX)).toMatch(/^# mine\nmodel = "demo-large" # why\n/);
    const provider = { name: "codex-api-proxy", base_url: "http://127.0.0.1:8765/v1", wire_api: "responses" };
    expect(parse(machine.files.get(CODEX) ?? "")).toEqual({
      model: "demo-large",
      model_provider: "codex-api-proxy",
      model_context_window: 272_000,
      tui: { theme: "x" },
      model_providers: { "codex-api-proxy": provider },
    });
    await machine.cli(["setup", "codex", "--write", "--api-key", "geheim"]);
    expect(parse(machine.files.get(CODEX) ?? "").model_providers).toEqual({
      "codex-api-proxy": { ...provider, env_key: "CODEX_PROXY_API_KEY" },
    });
    expect(machine.files.get(CODEX)).not.toContain("geheim");
  });

  it("opencode and openclaw get a provider with every listed model", async () => {
    await machine.cli(["start", "--demo"]);
    await machine.cli(["setup", "opencode", "--write"]);
    expect(json("/home/user/.config/opencode/opencode.json")).toMatchObject({
      model: "codex-api-proxy/demo-large",
      small_model: "codex-api-proxy/demo-small-luna",
      provider: {
        "codex-api-proxy": {
          options: { baseURL: "http://127.0.0.1:8765/v1", apiKey: "unused" },
          models: { "demo-large": { limit: { context: 272_000, output: 128_000 } }, "demo-small-luna": {} },
        },
      },
    });
    await machine.cli(["setup", "openclaw", "--write"]);
    expect(json("/home/user/.openclaw/openclaw.json")).toMatchObject({
      agents: { defaults: { model: { primary: "codex-api-proxy/demo-large" } } },
      models: { providers: { "codex-api-proxy": { models: [{ id: "demo-large" }, { id: "demo-small-luna" }] } } },
    });
  });

  it("asks for the key of a server that needs one: config.toml has its hash only", async () => {
    await machine.cli(["start", "--demo", "--api-key", "geheim"]);
    const shown = await machine.cli(["setup", "sdk"]);
    expect(exported(shown.out).OPENAI_API_KEY).toBe("YOUR-KEY");
    const refused = await machine.cli(["setup", "claude-code", "--write"]);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("--api-key");
    const given = await machine.cli(["setup", "claude-code", "--write", "--api-key", "geheim"]);
    expect(given.code).toBe(0);
    expect(json(CLAUDE).env).toMatchObject({ ANTHROPIC_AUTH_TOKEN: "geheim", ANTHROPIC_MODEL: "demo-large" });
    expect(machine.files.modes.get(CLAUDE)).toBe(0o600);
  });

  it.each([[["setup"]], [["setup", "emacs"]], [["setup", "sdk", "codex"]], [["setup", "sdk", "--write"]]])(
    "refuses %o with exit code 2",
    async (args) => {
      expect((await machine.cli(args)).code).toBe(2);
    },
  );
});

describe("run", () => {
  interface Seen {
    args: readonly string[];
    env: Readonly<Record<string, string | undefined>>;
    status: number;
    withoutKey: number;
    /** Private file that an option or variable names. */
    file: string | undefined;
  }

  async function runClient(command: string, args: string[], env: Record<string, string> = {}): Promise<Seen> {
    let seen: Seen | undefined;
    const { code } = await machine.cli(["run", "--demo", "--", command, ...args], {
      env,
      async program(_command, given, variables) {
        const port = Number(new URL(variables.OPENAI_BASE_URL ?? variables.ANTHROPIC_BASE_URL ?? "http://x:1").port);
        const key = variables.ANTHROPIC_AUTH_TOKEN ?? variables.OPENAI_API_KEY ?? variables.CODEX_PROXY_API_KEY;
        const at = port === 1 ? ([...machine.ports.keys()][0] as number) : port;
        const answer = await machine.request(at, "/v1/models", { authorization: `Bearer ${key}` });
        const path = [...machine.files.texts.keys()].find((one) => one.startsWith(`${STATE}/run-`));
        seen = {
          args: given,
          env: variables,
          status: answer.status,
          withoutKey: (await machine.request(at, "/v1/models")).status,
          file: path === undefined ? undefined : machine.files.get(path),
        };
        return 7;
      },
    });
    expect(code).toBe(7);
    return seen as Seen;
  }

  it("serves on a free port with a one-time key while the client runs, and stops after", async () => {
    const seen = await runClient("python", ["agent.py", "--port", "1"], { HTTPS_PROXY: "http://proxy:3128" });
    expect(seen).toMatchObject({ args: ["agent.py", "--port", "1"], status: 200, withoutKey: 401, file: undefined });
    expect(seen.env).toMatchObject({ OPENAI_MODEL: "demo-large", NO_PROXY: "127.0.0.1" });
    const { OPENAI_API_KEY: key } = seen.env;
    expect(seen.env).toMatchObject({ ANTHROPIC_API_KEY: key, ANTHROPIC_AUTH_TOKEN: key, CODEX_PROXY_API_KEY: key });
    expect(seen.env.OPENCODE_CONFIG_CONTENT).toContain(key);
    expect(machine.ports.size).toBe(0);
    const again = await runClient("python", []);
    expect(again.env.OPENAI_API_KEY).not.toBe(seen.env.OPENAI_API_KEY);
  });

  it("tells Claude Code by a private file too, since its own settings win over the environment", async () => {
    const seen = await runClient("/usr/bin/claude", ["-p", "hi"], { ANTHROPIC_API_KEY: "sk-own" });
    expect(seen.status).toBe(200);
    expect(seen.env.ANTHROPIC_API_KEY).toBeUndefined();
    expect(seen.args[0]).toBe("--settings");
    expect(seen.args.slice(2)).toEqual(["-p", "hi"]);
    const { env } = JSON.parse(seen.file ?? "{}") as { env: Record<string, string> };
    expect(env.ANTHROPIC_AUTH_TOKEN).toBe(seen.env.ANTHROPIC_AUTH_TOKEN);
    expect(seen.args.join(" ")).not.toContain(env.ANTHROPIC_AUTH_TOKEN);
    expect([...machine.files.texts.keys()].filter((path) => path.includes("/run-"))).toEqual([]);
    const own = await runClient("claude", ["--settings", "mine.json"]);
    expect(own.args).toEqual(["--settings", "mine.json"]);
  });

  it("tells Codex by options, the key by its variable", async () => {
    const seen = await runClient("codex.exe", ["exec", "hi"]);
    expect(seen.status).toBe(200);
    expect(seen.args.slice(-2)).toEqual(["exec", "hi"]);
    expect(seen.args).toContain('model_provider="codex-api-proxy"');
    expect(seen.args.join(" ")).not.toContain(seen.env.CODEX_PROXY_API_KEY);
  });

  it("gives OpenClaw its own settings with the provider added", async () => {
    machine.files.put("/home/user/.openclaw/openclaw.json", "{ mine: 1, // keep\n}");
    const seen = await runClient("openclaw", ["agent"]);
    expect(seen.file).toContain("mine: 1, // keep");
    expect(seen.file).toContain('"codex-api-proxy"');
    expect(seen.env.OPENCLAW_CONFIG_PATH).toMatch(/run-\d+-openclaw\.json$/);
  });

  it("ends with 127 when there is no such program, and with 2 without a command", async () => {
    const missing = await machine.cli(["run", "--demo", "--", "nosuch"], {
      program: () => {
        throw Object.assign(new Error("spawn nosuch"), { code: "ENOENT" });
      },
    });
    expect(missing).toMatchObject({ code: 127, err: expect.stringContaining('"nosuch"') });
    expect(machine.ports.size).toBe(0);
    expect((await machine.cli(["run"])).code).toBe(2);
    expect((await machine.cli(["run", "claude"])).code).toBe(2);
  });
});
