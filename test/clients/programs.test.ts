import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findNode24, runtimes } from "../support/runtimes.ts";
import { writeAuthFile } from "../upstream/index.ts";
import { install } from "./install.ts";
import { type Ran, RESPONSES, runClient, type Stack, startStack } from "./stack.ts";

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

/** Node 24 runs the same adapter as Node 20; the clients themselves run on it. */
const servers = runtimes.filter((runtime) => runtime.name !== "node24");

/** OpenClaw takes most of a minute, so each of its APIs is served by one of the runtimes. */
const OPENCLAW_APIS = ["openai-completions", "openai-responses", "anthropic-messages"];
const openClawApis = (index: number): string[] => OPENCLAW_APIS.filter((_, at) => at % servers.length === index);

/** Each program works in a folder of its own, on a server on one of the runtimes. */
describe.each(servers)("programs against the server on $name", (runtime) => {
  let stack: Stack;
  let home: string;
  let project: string;

  beforeAll(async () => {
    stack = await startStack(runtime);
  });
  beforeEach(() => {
    stack.upstream.reset();
    home = mkdtempSync(join(tmpdir(), "codex-api-proxy-client-"));
    project = join(home, "project");
    mkdirSync(project);
    return () => rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });
  afterAll(() => stack?.stop());

  describe("Claude Code", () => {
    const claude = async (prompt: string, model: string, args: readonly string[] = []): Promise<Ran> => {
      const folder = await install("claude-code");
      const command = join(folder, `node_modules/@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude`);
      const env = {
        HOME: home,
        ANTHROPIC_BASE_URL: stack.server.url,
        ANTHROPIC_AUTH_TOKEN: "unused",
        ANTHROPIC_MODEL: model,
        ANTHROPIC_DEFAULT_HAIKU_MODEL: "gpt-6-luna",
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
        DISABLE_AUTOUPDATER: "1",
        DISABLE_TELEMETRY: "1",
      };
      const common = [
        "-p",
        prompt,
        "--output-format",
        "json",
        "--permission-mode",
        "acceptEdits",
        "--allowedTools",
        "Bash",
        "Read",
        "WebSearch",
      ];
      return runClient(command, [...common, ...args], { env, cwd: project });
    };
    const call = (name: string, args: object): string => `[[tool name=${name} args=${JSON.stringify(args)}]]`;

    it.each(["gpt-5.5", "gpt-6.1-sol"])("writes a file through a tool and reports the result, on %s", async (model) => {
      const file = join(project, "x.txt");
      const ran = await claude(call("Write", { file_path: file, content: "hello" }), model);
      expect([ran.code, ran.stderr]).toEqual([0, ""]);
      const result = JSON.parse(ran.stdout);
      expect(readFileSync(file, "utf8")).toBe("hello");
      expect([result.is_error, result.num_turns]).toEqual([false, 2]);
      expect(result.result).toContain("TOOL-RESULT: File created");
      expect(result.usage.cache_read_input_tokens).toBeGreaterThan(0);
      stack.expectCleanUpstream();
      stack.expectToolRoundTrip();
    });

    it("reports usage as upstream told it", async () => {
      const usage = {
        input_tokens: 12_345,
        input_tokens_details: { cached_tokens: 10_240 },
        output_tokens: 678,
        output_tokens_details: { reasoning_tokens: 64 },
        total_tokens: 13_023,
      };
      const content = [{ type: "output_text", text: "measured", annotations: [] }];
      const events = [
        { type: "response.created", response: { id: "resp_1" } },
        { type: "response.output_item.done", output_index: 0, item: { type: "message", role: "assistant", content } },
        { type: "response.completed", response: { id: "resp_1", usage } },
      ];
      const sse = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
      stack.upstream.script((request) => request.text.includes('"model":"gpt-5.5"'), { sse });
      const result = JSON.parse((await claude("how much?", "gpt-5.5")).stdout);
      expect(result.result).toBe("measured");
      expect(result.usage).toMatchObject({
        input_tokens: 2105,
        cache_read_input_tokens: 10_240,
        cache_creation_input_tokens: 0,
        output_tokens: 678,
      });
      expect(result.modelUsage["gpt-5.5"]).toMatchObject({
        inputTokens: 2105,
        cacheReadInputTokens: 10_240,
        outputTokens: 678,
      });
      stack.expectCleanUpstream();
    });

    it.each(["gpt-5.5", "gpt-6.1-sol"])("runs several tools of one turn and reads a picture, on %s", async (model) => {
      const picture = join(project, "p.png");
      writeFileSync(picture, PNG);
      const bash = call("Bash", { command: "echo one-$((1+1))", description: "x" });
      const ran = await claude(`${bash} ${call("Read", { file_path: picture })}`, model);
      expect(JSON.parse(ran.stdout).result).toContain("one-2");
      expect(JSON.stringify(stack.upstream.requestsTo(RESPONSES).at(-1)?.json)).toContain('"input_image"');
      stack.expectCleanUpstream();
      stack.expectToolRoundTrip();
    });

    it("edits a file after it has read it", async () => {
      const file = join(project, "e.txt");
      writeFileSync(file, "one two\n");
      const edit = call("Edit", { file_path: file, old_string: "two", new_string: "three" });
      // One after another, as this model calls them.
      const ran = await claude(`${call("Read", { file_path: file })} ${edit}`, "gpt-6.1-sol");
      expect(JSON.parse(ran.stdout).is_error).toBe(false);
      expect(readFileSync(file, "utf8")).toBe("one three\n");
      stack.expectCleanUpstream();
    });

    it("has sub-agents at work side by side", async () => {
      const agent = (word: string): string =>
        call("Agent", {
          description: word,
          prompt: `say ${word}`,
          subagent_type: "general-purpose",
          run_in_background: false,
        });
      const ran = await claude(`${agent("apricot")} ${agent("quince")}`, "gpt-5.5", ["--allowedTools", "Agent"]);
      const { is_error, result } = JSON.parse(ran.stdout);
      expect([is_error, result]).toEqual([false, expect.stringMatching(/say apricot[\s\S]*say quince/)]);
      stack.expectCleanUpstream();
      stack.expectToolRoundTrip();
    });

    it("gives an object that fits a schema", async () => {
      const schema = {
        type: "object",
        properties: { title: { type: "string" } },
        required: ["title"],
        additionalProperties: false,
      };
      const asked = call("StructuredOutput", { title: "quince" });
      const ran = await claude(asked, "gpt-6.1-sol", ["--json-schema", JSON.stringify(schema)]);
      expect(JSON.parse(ran.stdout).structured_output).toEqual({ title: "quince" });
      stack.expectCleanUpstream();
    });

    it("searches the web", async () => {
      const ran = await claude(call("WebSearch", { query: "pong" }), "gpt-5.5");
      const { is_error, result } = JSON.parse(ran.stdout);
      expect([is_error, result]).toEqual([false, expect.stringContaining("https://example.com/search?q=")]);
      const sent = stack.upstream.requestsTo(RESPONSES).map((request) => JSON.stringify(request.json));
      expect(sent.some((body) => body.includes('"type":"web_search"'))).toBe(true);
      stack.expectCleanUpstream();
    });

    it("goes on with a conversation and names a wrong model", async () => {
      await claude("remember the word quince", "gpt-6.1-sol");
      const ran = await claude("which word?", "gpt-6.1-sol", ["--continue"]);
      expect(JSON.parse(ran.stdout).is_error).toBe(false);
      expect(JSON.stringify(stack.upstream.requestsTo(RESPONSES).at(-1)?.json)).toContain("quince");
      stack.expectCleanUpstream();
      const wrong = await claude("hello", "gpt-none");
      expect(wrong.stdout).toContain("gpt-none");
    });
  });

  it.each(["gpt-5.5", "gpt-6.1-sol"])("Codex CLI makes a tool round trip on %s", async (model) => {
    const folder = await install("codex");
    const codexHome = join(home, "codex");
    mkdirSync(codexHome);
    writeFileSync(
      join(codexHome, "config.toml"),
      `model_provider = "proxy"\n[model_providers.proxy]\nname = "proxy"\nbase_url = "${stack.server.url}/v1"\nwire_api = "responses"\n`,
    );
    const command = "echo codex-$((40+2))";
    // This client offers the newer models one free-form tool, in which they run code.
    const code = `text((await tools.exec_command({ cmd: "${command}" })).output)`;
    const prompt =
      model === "gpt-5.5" ? `[[tool name=exec_command args={"cmd":"${command}"}]]` : `[[tool name=exec args=${code}]]`;
    const args = ["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "-m", model, prompt];
    const ran = await runClient(findNode24(), [join(folder, "node_modules/@openai/codex/bin/codex.js"), ...args], {
      env: { HOME: home, CODEX_HOME: codexHome },
      cwd: project,
    });
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringMatching(/TOOL-RESULT: [\s\S]*codex-42/)]);
    stack.expectCleanUpstream();
    stack.expectToolRoundTrip();
  });

  it("Codex CLI that has a login reads the model list", async () => {
    const folder = await install("codex");
    const codexHome = join(home, "codex");
    mkdirSync(codexHome);
    writeAuthFile(codexHome, "chatgpt");
    writeFileSync(
      join(codexHome, "config.toml"),
      `openai_base_url = "${stack.server.url}/v1"\nchatgpt_base_url = "${stack.upstream.origin}/backend-api"\n`,
    );
    const args = ["exec", "--skip-git-repo-check", "-m", "gpt-5.5", "hello"];
    const ran = await runClient(findNode24(), [join(folder, "node_modules/@openai/codex/bin/codex.js"), ...args], {
      env: { HOME: home, CODEX_HOME: codexHome },
      cwd: project,
    });
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringContaining("hello")]);
    expect(ran.stderr).not.toContain("failed to refresh available models");
    const cache = JSON.parse(readFileSync(join(codexHome, "models_cache.json"), "utf8"));
    expect(cache.models.map((model: { slug: string }) => model.slug)).toContain("gpt-5.5");
    // Once by the server for itself and once or twice for the client at its start: the ETag of answers is the list's.
    expect(stack.upstream.requestsTo("/codex/models").length).toBeLessThanOrEqual(3);
    stack.expectCleanUpstream();
  });

  it.each(["chat", "responses", "anthropic"] as const)("OpenCode makes a tool round trip over %s", async (api) => {
    const folder = await install("opencode");
    const npm = { chat: "@ai-sdk/openai-compatible", responses: "@ai-sdk/openai", anthropic: "@ai-sdk/anthropic" }[api];
    const model = api === "responses" ? "gpt-5.5" : "gpt-6.1-sol";
    const options = { baseURL: `${stack.server.url}/v1`, apiKey: "unused" };
    const config = {
      provider: { proxy: { npm, name: "proxy", options, models: { [model]: {} } } },
      autoupdate: false,
      share: "disabled",
    };
    writeFileSync(join(project, "opencode.json"), JSON.stringify(config));
    const command = join(folder, `node_modules/opencode-${process.platform}-${process.arch}/bin/opencode`);
    const input = '[[tool name=bash args={"command":"echo opencode-$((40+2))","description":"x"}]]';
    const ran = await runClient(command, ["run", "-m", `proxy/${model}`], {
      env: { HOME: home, PWD: project, OPENCODE_DISABLE_MODELS_FETCH: "1" },
      cwd: project,
      input,
    });
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringContaining("opencode-42")]);
    stack.expectCleanUpstream();
    stack.expectToolRoundTrip();
  });

  it.each(openClawApis(servers.indexOf(runtime)))("OpenClaw makes a tool round trip over %s", async (api) => {
    const folder = await install("openclaw");
    const baseUrl = api === "anthropic-messages" ? stack.server.url : `${stack.server.url}/v1`;
    const model = api === "openai-responses" ? "gpt-5.5" : "gpt-6.1-sol";
    const provider = {
      baseUrl,
      apiKey: "unused",
      api,
      models: [{ id: model, name: model, contextWindow: 200_000, maxTokens: 8000 }],
    };
    const state = join(home, ".openclaw");
    mkdirSync(state);
    const config = {
      models: { providers: { proxy: provider } },
      agents: { defaults: { model: { primary: `proxy/${model}` }, workspace: project } },
    };
    writeFileSync(join(state, "openclaw.json"), JSON.stringify(config));
    writeFileSync(join(project, "note.txt"), "openclaw-42");
    // It takes a bare quotation of the result, which is the double's usual answer, for no answer.
    const answer = { text: "The note says openclaw-42, as you asked.", times: 5 };
    stack.upstream.script((request) => request.text.includes('"function_call_output"'), answer);
    const message = `[[tool name=read args={"path":"${join(project, "note.txt")}"}]]`;
    const args = ["agent", "--local", "--json", "--session-id", "t1", "--message", message];
    const ran = await runClient(findNode24(), [join(folder, "node_modules/openclaw/openclaw.mjs"), ...args], {
      env: { HOME: home, OPENCLAW_STATE_DIR: state, OPENCLAW_SKIP_UPDATE_CHECK: "1" },
      cwd: project,
      timeoutMs: 150_000,
    });
    expect(ran.stdout).toMatch(/"finalAssistantVisibleText": "The note says openclaw-42, as you asked\."/);
    stack.expectCleanUpstream();
    stack.expectToolRoundTrip();
  });
});
