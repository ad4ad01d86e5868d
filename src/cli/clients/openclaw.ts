import type { JsonObject } from "../../json.ts";
import { type Client, PROVIDER, type Target } from "./client.ts";
import { mergeJson } from "./merge-json.ts";

const PATH_VARIABLE = "OPENCLAW_CONFIG_PATH";

/** OpenClaw: a provider in openclaw.json. */
export const openclaw: Client = {
  name: "openclaw",
  commands: ["openclaw"],
  file: ({ env, homeDir }) => env(PATH_VARIABLE)?.trim() || `${homeDir}/.openclaw/openclaw.json`,
  merge: (text, target) => mergeJson(text, settings(target)),
  show: (target) =>
    `// OpenClaw: merge this into openclaw.json, or write it there with --write\n${JSON.stringify(settings(target), null, 2)}\n`,
  launch: (args, target, ownSettings) => ({
    args,
    env: {},
    // It reads one file only, so its own settings are in it too.
    file: { variable: PATH_VARIABLE, name: "openclaw.json", text: mergeJson(ownSettings, settings(target)) },
  }),
};

function settings({ baseUrl, key, main, models }: Target): JsonObject {
  return {
    models: {
      providers: {
        [PROVIDER]: {
          baseUrl: `${baseUrl}/v1`,
          apiKey: key,
          api: "openai-responses",
          models: models.map(({ id, name, context, output }) => ({
            id,
            name,
            input: ["text", "image"],
            ...(context === undefined ? {} : { contextWindow: context }),
            ...(output === undefined ? {} : { maxTokens: output }),
          })),
        },
      },
    },
    agents: { defaults: { model: { primary: `${PROVIDER}/${main.id}` } } },
  };
}
