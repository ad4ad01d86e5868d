import { parse, stringify } from "smol-toml";
import { UsageError } from "../usage-error.ts";
import { type Client, PROVIDER, type Target } from "./client.ts";

const KEY_VARIABLE = "CODEX_PROXY_API_KEY";
const TABLE = `[model_providers.${PROVIDER}]`;

/** Codex CLI: a model provider of its own in config.toml. */
export const codex: Client = {
  name: "codex",
  commands: ["codex"],
  file: ({ env, homeDir }) => `${env("CODEX_HOME")?.trim() || `${homeDir}/.codex`}/config.toml`,
  merge,
  show: (target) =>
    `# Codex CLI: put this into config.toml in CODEX_HOME, or write it there with --write\n${topLines(target)}\n${tableText(target)}\n# and for each run\nexport ${KEY_VARIABLE}=${target.key}\n`,
  launch: (args, target) => ({
    args: [...overrides(target), ...args],
    env: { [KEY_VARIABLE]: target.key },
  }),
};

const topLines = ({ main }: Target): string =>
  `model = ${JSON.stringify(main.id)}\nmodel_provider = ${JSON.stringify(PROVIDER)}\n`;

function provider({ baseUrl }: Target): Record<string, string> {
  return { name: PROVIDER, base_url: `${baseUrl}/v1`, wire_api: "responses", env_key: KEY_VARIABLE };
}

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

/** Line by line, so that the user's comments and order stay; the result is checked by reading it again. */
function merge(text: string | undefined, target: Target): string {
  const lines = (text ?? "").split("\n");
  const firstTable = lines.findIndex((line) => /^\s*\[/.test(line));
  const end = firstTable < 0 ? lines.length : firstTable;
  const top = lines.slice(0, end).filter((line) => !/^\s*(model|model_provider)\s*=/.test(line));
  const tables = withoutOwnTable(lines.slice(end));
  const merged = `${topLines(target)}${[...top, ...tables].join("\n").trimEnd()}\n\n${tableText(target)}`;
  try {
    parse(merged);
    return merged;
  } catch {
    throw new UsageError("config.toml could not be merged into; put in by hand what is shown without --write");
  }
}

function withoutOwnTable(lines: readonly string[]): string[] {
  let own = false;
  return lines.filter((line) => {
    if (/^\s*\[/.test(line)) own = line.trim() === TABLE;
    return !own;
  });
}
