import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

const INSTALL_MS = 600_000;

/** Folder of a client's installation, made now if need be. Files run in turn, so no two install at once. */
export function install(name: keyof typeof CLIENTS): string {
  const folder = join(ROOT, ".cache", "clients", name);
  const stamp = join(folder, "installed.txt");
  const wanted = CLIENTS[name].join("\n");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const run = (command: string, args: readonly string[]): void => {
    execFileSync(command, args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"], timeout: INSTALL_MS });
  };
  if (name === "python") {
    run("python3", ["-m", "venv", folder]);
    run(join(folder, "bin", "pip"), ["install", "--quiet", "--disable-pip-version-check", ...CLIENTS.python]);
  } else {
    writeFileSync(join(folder, "package.json"), '{"private":true,"type":"module"}');
    // --force: some ask for a newer Node than the one that installs; they run on Node 24.
    run("npm", [
      "install",
      "--no-audit",
      "--no-fund",
      "--ignore-scripts",
      "--force",
      "--loglevel",
      "error",
      ...CLIENTS[name],
    ]);
  }
  writeFileSync(stamp, wanted);
  return folder;
}
