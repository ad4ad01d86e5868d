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
  launch(args, target) {
    // A key beside the token would be asked about.
    const env = { ...variables(target), ANTHROPIC_API_KEY: undefined };
    if (args.some((argument) => /^--settings(?:=|$)/.test(argument))) return { args, env };
    // What settings.json says of variables wins over the environment, and such an option over settings.json.
    const text = JSON.stringify({ env: variables(target) });
    return { args, env, file: { option: "--settings", name: "claude-code.json", text } };
  },
};

function variables({ baseUrl, key, main, middle, light }: Target): Record<string, string> {
  const limits: Record<string, string> = {};
  if (main.context !== undefined) {
    // One number for all models: with the smaller one no conversation grows too long.
    const context = String(Math.min(main.context, middle.context ?? main.context));
    limits.CLAUDE_CODE_MAX_CONTEXT_TOKENS = context;
    limits.CLAUDE_CODE_AUTO_COMPACT_WINDOW = context;
  }
  if (main.output !== undefined) limits.CLAUDE_CODE_MAX_OUTPUT_TOKENS = String(main.output);
  return {
    ANTHROPIC_BASE_URL: baseUrl,
    ANTHROPIC_AUTH_TOKEN: key,
    ANTHROPIC_MODEL: main.id,
    ANTHROPIC_DEFAULT_FABLE_MODEL: main.id,
    ANTHROPIC_DEFAULT_OPUS_MODEL: main.id,
    ANTHROPIC_DEFAULT_SONNET_MODEL: middle.id,
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
