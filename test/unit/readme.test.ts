import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { commandSummaries } from "../../src/cli/index.ts";
import { flagOf, OPTIONS, type Option } from "../../src/config/options.ts";

const PATH = new URL("../../README.md", import.meta.url);

/** Tables of the README that tell what the code says, between `<!-- name -->` and `<!-- /name -->`. */
const TABLES = {
  options: table(["option", "environment", "default", "meaning"], OPTIONS.map(optionRow)),
  commands: table(
    ["command", "what it does"],
    commandSummaries().map(([name, summary]) => [`\`${name}\``, summary]),
  ),
};

function optionRow(option: Option): string[] {
  const flag = `--${flagOf(option.name)}`;
  const value = option.hint ?? (option.choices ? option.choices.join("\\|") : "");
  const fallback = option.defaultText ?? (option.default === undefined ? "" : String(option.default));
  return [
    `\`${flag}${value === "" || option.choices ? "" : ` ${value}`}\``,
    option.env.map((name) => `\`${name}\``).join(" > "),
    fallback,
    meaning(option),
  ];
}

function meaning({ help, choices }: Option): string {
  return choices ? `${help}: ${choices.join(", ")}` : help;
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

/** `UPDATE_README=1 npm run test:unit` writes them anew. */
describe("README.md", () => {
  for (const [name, expected] of Object.entries(TABLES)) {
    it(`has the table of ${name} as the code has it`, () => {
      const text = readFileSync(PATH, "utf8");
      const place = new RegExp(`(<!-- ${name} -->\\n)[\\s\\S]*?(\\n<!-- /${name} -->)`);
      if (process.env.UPDATE_README)
        writeFileSync(
          PATH,
          text.replace(place, (_all, start, end) => start + expected + end),
        );
      expect(place.exec(readFileSync(PATH, "utf8"))?.[0]).toBe(`<!-- ${name} -->\n${expected}\n<!-- /${name} -->`);
    });
  }
});
