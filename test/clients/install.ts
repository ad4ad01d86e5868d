import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { lock } from "proper-lockfile";
import { ROOT } from "../support/runtimes.ts";

/** Clients and the versions that the tests stand for; installed on demand, they are no dependencies of the project. */
const CLIENTS = {
  sdks: [
    "openai@7.57.0",
    "@anthropic-ai/sdk@1.12.0",
    "ai@6.0.326",
    "@ai-sdk/openai@3.0.141",
    "@ai-sdk/anthropic@3.0.139",
    "@ai-sdk/openai-compatible@2.0.91",
    "@openai/agents@0.20",
    "zod@4",
  ],
  "claude-code": ["@anthropic-ai/claude-code@2.1.197"],
  codex: ["@openai/codex@0.169.0"],
  opencode: ["opencode-ai@1.18.33"],
  openclaw: ["openclaw@2026.9.6"],
  python: [
    "openai==3.54.0",
    "anthropic==2.12.0",
    "langchain-openai==1.7.3",
    "langchain-anthropic==1.7.7",
    "pydantic-ai-slim[openai,anthropic]==2.68.0",
  ],
} as const;

export type ClientName = keyof typeof CLIENTS;

const INSTALL_MS = 600_000;
const LOCK_RETRIES = { retries: INSTALL_MS / 1000, factor: 1, minTimeout: 1000 };
const cache = join(ROOT, ".cache", "clients");
const execute = promisify(execFile);

/** Folder of a client's installation, made now if need be; whoever comes meanwhile waits for it. */
export async function install(name: ClientName): Promise<string> {
  const folder = join(cache, name);
  if (isInstalled(name, folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const release = await lock(folder, { realpath: false, retries: LOCK_RETRIES });
  try {
    if (!isInstalled(name, folder)) await installInto(folder, name);
  } finally {
    await release();
  }
  return folder;
}

function isInstalled(name: ClientName, folder: string): boolean {
  const stamp = join(folder, "installed.txt");
  return existsSync(stamp) && readFileSync(stamp, "utf8") === CLIENTS[name].join("\n");
}

async function installInto(folder: string, name: ClientName): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const options = { cwd: folder, timeout: INSTALL_MS };
  if (name === "python") {
    await execute("python3", ["-m", "venv", folder], options);
    const quiet = ["install", "--quiet", "--disable-pip-version-check"];
    await execute(join(folder, "bin", "pip"), [...quiet, ...CLIENTS.python], options);
  } else {
    writeFileSync(join(folder, "package.json"), '{"private":true,"type":"module"}');
    // --force: some ask for a newer Node than the one that installs; they run on Node 24.
    const quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--force", "--loglevel", "error"];
    await execute("npm", ["install", ...quiet, ...CLIENTS[name]], options);
  }
  writeFileSync(join(folder, "installed.txt"), CLIENTS[name].join("\n"));
}
