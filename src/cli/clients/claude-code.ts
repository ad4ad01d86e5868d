import type { Client, Target } from "./client.ts";
import { mergeJson } from "./merge-json.ts";

/** Claude Code: everything is in environment variables, which its settings.json can hold. */
export const claudeCode: Client = {
  name: "claude-code",
  commands: ["claude"],
  file: ({ env, homeDir }) => `${env("CLAUDE_CONFIG_DIR")?.trim() || `${homeDir}/.claude`}/settings.json`,
  merge: (text, target) => mergeJson(text, { env: variables(target) }),
  show: (target) =>
    `# Claude Code: set these, or write them into settings.json with --write\n${exportLines(variables(target))}`,
  launch: (args, target) => ({
    args,
    // A key of its own would win over the token.
    env: { ...variables(target), ANTHROPIC_API_KEY: undefined },
  }),
};

function variables({ baseUrl, key, main, light }: Target): Record<string, string> {
  const limits: Record<string, string> = {};
  if (main.context !== undefined) {
    limits.CLAUDE_CODE_MAX_CONTEXT_TOKENS = String(main.context);
    limits.CLAUDE_CODE_AUTO_COMPACT_WINDOW = String(main.context);
  }
  if (main.output !== undefined) limits.CLAUDE_CODE_MAX_OUTPUT_TOKENS = String(main.output);
  return {
    ANTHROPIC_BASE_URL: baseUrl,
    ANTHROPIC_AUTH_TOKEN: key,
    ANTHROPIC_MODEL: main.id,
    ANTHROPIC_DEFAULT_OPUS_MODEL: main.id,
    ANTHROPIC_DEFAULT_SONNET_MODEL: main.id,
    ANTHROPIC_DEFAULT_HAIKU_MODEL: light.id,
    ...limits,
    // The line it would add changes with each run and spoils upstream's prompt cache.
    CLAUDE_CODE_ATTRIBUTION_HEADER: "0",
    CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY: "1",
  };
}

/** Lines for a shell. */
export function exportLines(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(
      ([name, value]) =>
        `export ${name}=${/^[\w.:/@%+,-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`}\n`,
    )
    .join("");
}
