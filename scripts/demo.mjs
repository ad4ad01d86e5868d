// What `npm run demo` shows: the server on its offline upstream, one request and answer for each endpoint, then it
// keeps serving. With --once it ends after the show; it fails when an answer is not what it should be.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const once = process.argv.includes("--once");
const home = mkdtempSync(join(tmpdir(), "codex-api-proxy-demo-"));
const port = await freePort(8765);
const base = `http://127.0.0.1:${port}`;

const env = { ...process.env, HOME: home, CODEX_HOME: join(home, ".codex"), CODEX_PROXY_API_KEY: undefined };
const args = ["dist/node.js", "start", "--foreground", "--demo", "--port", String(port), "--log-level", "warning"];
const server = spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "inherit"] });
const ended = new Promise((resolve) => server.once("exit", resolve));
let failed = false;

try {
  await healthy();
  await show();
} catch (error) {
  failed = true;
  console.error(`\ndemo failed: ${error instanceof Error ? error.message : error}`);
}

if (failed || once) {
  server.kill("SIGTERM");
} else {
  console.log(`\nServing on ${base} until Ctrl-C. Point a client at it:
  OpenAI SDKs       OPENAI_BASE_URL=${base}/v1 OPENAI_API_KEY=demo
  Anthropic SDKs    ANTHROPIC_BASE_URL=${base} ANTHROPIC_API_KEY=demo
  Claude Code       ANTHROPIC_BASE_URL=${base} ANTHROPIC_AUTH_TOKEN=demo claude
With your own login: node dist/node.js start`);
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => server.kill("SIGTERM"));
}
const code = await ended;
rmSync(home, { recursive: true, force: true });
process.exit(failed ? 1 : (code ?? 0));

/** Requests each endpoint, prints both sides and checks the answer. */
async function show() {
  await call("GET", "/health", undefined, (answer) => JSON.parse(answer).ok === true);
  await call("GET", "/v1/models", undefined, (answer) => JSON.parse(answer).data.length > 1);
  const model = "demo-large";
  const messages = [{ role: "user", content: "Good morning!" }];
  await call("POST", "/v1/chat/completions", { model, messages }, (answer) =>
    JSON.parse(answer).choices[0].message.content.includes("Good morning!"),
  );
  await call(
    "POST",
    "/v1/chat/completions",
    { model, messages, stream: true },
    (answer) => answer.trimEnd().endsWith("data: [DONE]") && answer.includes('"finish_reason":"stop"'),
  );
  const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
  const tools = [{ type: "function", function: { name: "get_weather", parameters } }];
  await call(
    "POST",
    "/v1/chat/completions",
    { model, messages: [{ role: "user", content: "What is the weather?" }], tools },
    (answer) => JSON.parse(answer).choices[0].message.tool_calls[0].function.name === "get_weather",
  );
  await call("POST", "/v1/responses", { model: "demo-small-luna", input: "Good morning!" }, (answer) =>
    JSON.parse(answer).output[0].content[0].text.includes("Good morning!"),
  );
  await call("POST", "/v1/messages", { model, max_tokens: 200, messages }, (answer) =>
    JSON.parse(answer).content[0].text.includes("Good morning!"),
  );
  await call("POST", "/v1/messages/count_tokens", { model, messages }, (answer) => JSON.parse(answer).input_tokens > 0);
}

async function call(method, path, body, isRight) {
  const shown = body === undefined ? "" : ` -d '${JSON.stringify(body)}'`;
  console.log(`\n$ curl ${base}${path}${shown}`);
  const init = { method, headers: { "content-type": "application/json" } };
  if (body !== undefined) init.body = JSON.stringify(body);
  const response = await fetch(base + path, { ...init, signal: AbortSignal.timeout(30_000) });
  const answer = await response.text();
  const lines = answer.split("\n").filter((line) => line !== "");
  const brief =
    lines.length > 8 ? [...lines.slice(0, 4), `… ${lines.length - 7} more lines …`, ...lines.slice(-3)] : lines;
  console.log(brief.map((line) => (line.length > 400 ? `${line.slice(0, 400)}…` : line)).join("\n"));
  let right = false;
  try {
    right = response.ok && isRight(answer);
  } catch {
    // An answer that cannot be read is as wrong as one that reads differently.
  }
  if (!right) throw new Error(`${method} ${path} did not answer as expected (status ${response.status})`);
}

async function healthy() {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (server.exitCode !== null) throw new Error(`the server ended with code ${server.exitCode}`);
    const response = await fetch(`${base}/health`).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the server did not answer within 20 seconds");
}

/** `wanted` if nobody listens there, else any free port. */
function freePort(wanted) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", () => (wanted === 0 ? reject(new Error("no free port")) : resolve(freePort(0))));
    probe.listen(wanted, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
