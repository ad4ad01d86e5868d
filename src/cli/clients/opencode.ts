import type { JsonObject } from "../../json.ts";
import { type Client, PROVIDER, type Target } from "./client.ts";
import { mergeJson } from "./merge-json.ts";

/** OpenCode: a provider in opencode.json. */
export const opencode: Client = {
  name: "opencode",
  commands: ["opencode"],
  file: ({ env, homeDir }) =>
    env("OPENCODE_CONFIG")?.trim() ||
    `${env("XDG_CONFIG_HOME")?.trim() || `${homeDir}/.config`}/opencode/opencode.json`,
  merge: (text, target) => mergeJson(text, settings(target)),
  show: (target) =>
    `// OpenCode: merge this into opencode.json, or write it there with --write\n${JSON.stringify(settings(target), null, 2)}\n`,
  launch: (args, target) => ({
    args,
    // Read beside its own files.
    env: { OPENCODE_CONFIG_CONTENT: JSON.stringify(settings(target)) },
  }),
};

function settings({ baseUrl, key, main, light, models }: Target): JsonObject {
  const limits = models.map(({ id, name, context, output }) => [
    id,
    { name, ...(context === undefined || output === undefined ? {} : { limit: { context, output } }) },
  ]);
  return {
    $schema: "https://opencode.ai/config.json",
    model: `${PROVIDER}/${main.id}`,
    small_model: `${PROVIDER}/${light.id}`,
    provider: {
      [PROVIDER]: {
        npm: "@ai-sdk/openai-compatible",
        name: PROVIDER,
        options: { baseURL: `${baseUrl}/v1`, apiKey: key },
        models: Object.fromEntries(limits),
      },
    },
  };
}
