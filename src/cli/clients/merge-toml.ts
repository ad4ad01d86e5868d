import { parse, stringify } from "smol-toml";
import { isObject, type JsonObject } from "../../json.ts";
import { UsageError } from "../usage-error.ts";

interface Statement {
  readonly end: number;
  /** Dotted path of `[a.b]`, or of a key under the header before it; undefined for blank lines and comments. */
  readonly path: readonly string[] | undefined;
  readonly isHeader: boolean;
  /** Where a key's value starts. */
  readonly valueStart: number;
}

/**
 * A client's settings with `additions` in them. Lines that are not concerned keep their bytes, comments included.
 * @throws UsageError when `text` is not TOML, or says one of these values in a form that cannot be edited line by line.
 */
export function mergeToml(text: string | undefined, additions: JsonObject): string {
  const before = read(text ?? "");
  const edited = leaves(additions, []).reduce((sofar, [path, value]) => setValue(sofar, path, value), text ?? "");
  const after = read(edited);
  if (JSON.stringify(after) !== JSON.stringify(deepMerged(before, additions, after))) throw notEditable();
  return edited;
}

function read(text: string): JsonObject {
  try {
    return parse(text);
  } catch {
    throw notEditable();
  }
}

function notEditable(): UsageError {
  return new UsageError("config.toml could not be merged into; put in by hand what is shown without --write");
}

function setValue(text: string, path: readonly string[], value: unknown): string {
  const statements = scan(text);
  const same = statements.find(({ isHeader, path: at }) => !isHeader && samePath(at, path));
  if (same) return text.slice(0, same.valueStart) + formatValue(value) + text.slice(same.end);
  const line = `${formatKey(path.at(-1) as string)} = ${formatValue(value)}`;
  const table = path.slice(0, -1);
  const header = table.length === 0 ? -1 : statements.findIndex((one) => one.isHeader && samePath(one.path, table));
  if (table.length > 0 && header < 0) {
    const before = text === "" || text.endsWith("\n") ? text : `${text}\n`;
    return `${before}${before === "" ? "" : "\n"}[${table.map(formatKey).join(".")}]\n${line}\n`;
  }
  const behind = statements.slice(header + 1);
  const next = behind.findIndex(({ isHeader }) => isHeader);
  const inTable = statements.slice(Math.max(0, header), next < 0 ? undefined : header + 1 + next);
  const last = inTable.findLast((one) => one.path !== undefined);
  if (!last) return `${line}\n${text === "" || text.startsWith("\n") ? "" : "\n"}${text}`;
  const end = lineEnd(text, last.end);
  return `${text.slice(0, end)}\n${line}${text.slice(end)}`;
}

/** The statements of valid TOML, in order. A value may go over several lines. */
function scan(text: string): Statement[] {
  const statements: Statement[] = [];
  let table: readonly string[] = [];
  let at = 0;
  while (at < text.length) {
    const start = at + (/^[ \t\r\n]*/.exec(text.slice(at))?.[0].length ?? 0);
    if (start >= text.length) break;
    if (text[start] === "#") {
      at = lineEnd(text, start);
      statements.push({ end: at, path: undefined, isHeader: false, valueStart: at });
      continue;
    }
    const isHeader = text[start] === "[";
    const keyEnd = isHeader ? valueEnd(text, start) : findEquals(text, start);
    const key = readPath(text.slice(start, keyEnd).trim());
    if (isHeader) table = key;
    const valueStart = keyEnd + (/^=?[ \t]*/.exec(text.slice(keyEnd))?.[0].length ?? 0);
    const end = isHeader ? keyEnd : valueEnd(text, valueStart);
    statements.push({ end, path: isHeader ? key : [...table, ...key], isHeader, valueStart });
    at = lineEnd(text, end);
  }
  return statements;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

function findEquals(text: string, start: number): number {
  let at = start;
  while (at < text.length && text[at] !== "=") at = /["']/.test(text[at] as string) ? stringEnd(text, at) : at + 1;
  return at;
}

/** Index behind a value: at the end of the line on which all its brackets and strings are closed, its comment left out. */
function valueEnd(text: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const character = text[at] as string;
    if (character === '"' || character === "'") {
      at = stringEnd(text, at);
      continue;
    }
    if (character === "#") {
      if (depth === 0) break;
      at = lineEnd(text, at);
      continue;
    }
    if (/[[{]/.test(character)) depth++;
    if (/[\]}]/.test(character)) depth--;
    if (character === "\n" && depth === 0) break;
    at++;
  }
  return start + text.slice(start, at).trimEnd().length;
}

function stringEnd(text: string, start: number): number {
  const quote = text[start] as string;
  const fence = text.startsWith(quote.repeat(3), start) ? quote.repeat(3) : quote;
  let at = start + fence.length;
  while (at < text.length && !text.startsWith(fence, at)) at += quote === '"' && text[at] === "\\" ? 2 : 1;
  at += fence.length;
  // A fence of three may have quotes of the text before it.
  while (fence.length === 3 && text[at] === quote) at++;
  return at;
}

/** `[a."b.c"]` or `a."b.c"` → its keys. */
function readPath(written: string): string[] {
  const inner = written.replace(/^\[+|\]+$/g, "");
  return [...inner.matchAll(/"((?:\\.|[^"\\])*)"|'([^']*)'|([\w-]+)/g)].map(
    ([, double, single, bare]) => bare ?? single ?? (JSON.parse(`"${double}"`) as string),
  );
}

const formatKey = (key: string): string => (/^[\w-]+$/.test(key) ? key : JSON.stringify(key));

const formatValue = (value: unknown): string => stringify({ v: value }).trim().slice("v = ".length);

function samePath(one: readonly string[] | undefined, other: readonly string[]): boolean {
  return one?.length === other.length && other.every((key, at) => one[at] === key);
}

function leaves(patch: JsonObject, before: readonly string[]): [path: string[], value: unknown][] {
  return Object.entries(patch).flatMap(([key, value]) =>
    isObject(value) ? leaves(value, [...before, key]) : [[[...before, key], value] as [string[], unknown]],
  );
}

/** What the edited text must mean, its keys in the order of `shape`. */
function deepMerged(base: unknown, patch: unknown, shape: unknown): unknown {
  if (!isObject(patch)) return patch === undefined ? base : patch;
  const from = isObject(base) ? base : {};
  const keys = new Set([...Object.keys(isObject(shape) ? shape : {}), ...Object.keys(from), ...Object.keys(patch)]);
  const order = isObject(shape) ? shape : {};
  return Object.fromEntries(
    [...keys].map((key) => [key, key in patch ? deepMerged(from[key], patch[key], order[key]) : from[key]]),
  );
}
