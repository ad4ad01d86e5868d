import { exportLines } from "./claude-code.ts";
import type { Client, Target } from "./client.ts";

/** Programs on the OpenAI and Anthropic SDKs: the variables that these read. */
export const sdk: Client = {
  name: "sdk",
  commands: [],
  show: (target) =>
    `# OpenAI and Anthropic SDKs read these; models: ${target.models.map(({ id }) => id).join(", ")}\n${exportLines(variables(target))}`,
  launch: (args, target) => ({ args, env: variables(target) }),
};

function variables({ baseUrl, key, main }: Target): Record<string, string> {
  return {
    OPENAI_BASE_URL: `${baseUrl}/v1`,
    // The name that older programs read.
    OPENAI_API_BASE: `${baseUrl}/v1`,
    OPENAI_API_KEY: key,
    OPENAI_MODEL: main.id,
    ANTHROPIC_BASE_URL: baseUrl,
    ANTHROPIC_API_KEY: key,
  };
}
