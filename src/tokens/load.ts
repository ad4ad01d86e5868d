import { createBytePairTokenizer } from "./byte-pair.ts";
import { readRankTable } from "./rank-table.ts";
import type { Tokenizer } from "./tokenizer.ts";

/**
 * Loads the o200k tokenizer of today's OpenAI models on first need: its rank file has megabytes. The package's own encoder
 * would hold 60 MB, a table of bytes holds 6. Special tokens in a text are counted as plain text: they are data here.
 * @throws Error where the package is not installed.
 */
export async function loadTokenizer(readText: (path: string) => Promise<string | undefined>): Promise<Tokenizer> {
  const { O200K_TOKEN_SPLIT_REGEX } = await import("gpt-tokenizer/encodingParams/constants");
  const path = pathOf(import.meta.resolve("gpt-tokenizer/data/o200k_base.tiktoken"));
  const ranks = await readText(path);
  if (ranks === undefined) throw new Error(`there is no ${path}`);
  return createBytePairTokenizer(readRankTable(ranks), O200K_TOKEN_SPLIT_REGEX);
}

/** A file URL as a path; on Windows without the slash before the drive. */
function pathOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname).replace(/^\/(?=[A-Za-z]:)/, "");
}
