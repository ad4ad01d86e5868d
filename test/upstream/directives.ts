import { isObject, type JsonObject } from "./json.ts";

/** What the user's text asks the double to do: `[[tool name=X args={...}]] [[reason]] [[search q]] [[long N]] ...`. */
export interface Directives {
  readonly tools: readonly {
    readonly name: string;
    readonly args: JsonObject | undefined;
    readonly rawArgs: string | undefined;
  }[];
  readonly say: string | undefined;
  readonly search: string | undefined;
  readonly long: number | undefined;
  readonly reason: boolean;
  readonly image: boolean;
  readonly refuse: boolean;
}

const SEARCH_PREFIX = "Perform a web search for the query:";

/** True when the text holds at least one directive. */
export function hasDirective(text: string): boolean {
  return /\[\[(tool|say|search|long|reason|image|refuse)\b/.test(text) || text.trimStart().startsWith(SEARCH_PREFIX);
}

/** Reads all directives of a text. */
export function readDirectives(text: string): Directives {
  const search = /\[\[search ([^\]]+)\]\]/.exec(text)?.[1];
  const start = text.indexOf(SEARCH_PREFIX);
  const long = /\[\[long (\d+)\]\]/.exec(text)?.[1];
  return {
    tools: readTools(text),
    say: /\[\[say ([\s\S]*?)\]\]/.exec(text)?.[1],
    search:
      search?.trim() ??
      (start === -1
        ? undefined
        : text
            .slice(start + SEARCH_PREFIX.length)
            .trim()
            .split("\n")[0]),
    long: long === undefined ? undefined : Number(long),
    reason: text.includes("[[reason]]"),
    image: text.includes("[[image]]"),
    refuse: text.includes("[[refuse]]"),
  };
}

function readTools(text: string): Directives["tools"] {
  const found = [];
  for (const match of text.matchAll(/\[\[tool\s+name=([^\s\]]+)/g)) {
    const rest = text.slice(match.index + match[0].length);
    const given = /^\s+args=/.exec(rest);
    const raw = given === null ? undefined : readArguments(rest.slice(given[0].length));
    found.push({ name: match[1] ?? "", args: raw === undefined ? undefined : parse(raw), rawArgs: raw });
  }
  return found;
}

/** The arguments end at the first `]]` that leaves valid JSON; else, for a free-form tool, at the first `]]`. */
function readArguments(text: string): string {
  for (let end = text.indexOf("]]"); end !== -1; end = text.indexOf("]]", end + 1)) {
    if (parse(text.slice(0, end)) !== undefined) return text.slice(0, end);
  }
  return text.split("]]")[0] ?? "";
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
