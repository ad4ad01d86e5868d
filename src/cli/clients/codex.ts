import { stringify } from "smol-toml";
import { type Client, NO_KEY, PROVIDER, type Target } from "./client.ts";
import { mergeToml } from "./merge-toml.ts";

const KEY_VARIABLE = "CODEX_PROXY_API_KEY";
const TABLE = `[model_providers.${PROVIDER}]`;

/** Codex CLI: a model provider of its own in config.toml. */
export const codex: Client = {
  name: "codex",
  commands: ["codex"],
  file: ({ env, homeDir }) => `${env("CODEX_HOME")?.trim() || `${homeDir}/.codex`}/config.toml`,
  merge: (text, target) => mergeToml(text, { ...topValues(target), model_providers: { [PROVIDER]: provider(target) } }),
  show: (target) =>
    `# Codex CLI: put this into config.toml in CODEX_HOME, or write it there with --write\n${stringify(topValues(target))}\n${tableText(target)}${keyLine(target)}`,
  launch: (args, target) => ({
    args: [...overrides(target), ...args],
    env: { [KEY_VARIABLE]: target.key },
  }),
};

function topValues({ main }: Target): Record<string, string | number> {
  const window = main.context === undefined ? {} : { model_context_window: main.context };
  return { model: main.id, model_provider: PROVIDER, ...window };
}

/** Codex wants a variable that it is told of to be set, so it is told of none that is not needed. */
function provider({ baseUrl, key }: Target): Record<string, string> {
  const open = { name: PROVIDER, base_url: `${baseUrl}/v1`, wire_api: "responses" };
  return key === NO_KEY ? open : { ...open, env_key: KEY_VARIABLE };
}

const keyLine = ({ key }: Target): string =>
  key === NO_KEY ? "" : `\n# and in your shell\n# export ${KEY_VARIABLE}=${key}\n`;

const tableText = (target: Target): string => `${TABLE}\n${stringify(provider(target))}`;

/** The same as `-c` options, which win over config.toml; the user's own come behind and win over these. */
function overrides(target: Target): string[] {
  const inline = Object.entries(provider(target)).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [
    "-c",
    `model_providers.${PROVIDER}={${inline.join(",")}}`,
    "-c",
    `model_provider=${JSON.stringify(PROVIDER)}`,
    "-c",
    `model=${JSON.stringify(target.main.id)}`,
  ];
}
