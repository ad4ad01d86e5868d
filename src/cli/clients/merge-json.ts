import { isObject, type JsonObject } from "../../json.ts";
import { UsageError } from "../usage-error.ts";

interface Node {
  readonly start: number;
  readonly end: number;
  readonly value: unknown;
  /** Of an object. */
  readonly members?: readonly Member[];
}

interface Member {
  readonly key: string;
  readonly keyStart: number;
  readonly node: Node;
}

interface Edit {
  readonly at: number;
  readonly end: number;
  readonly text: string;
}

/**
 * A client's settings with `additions` in them: objects are merged member by member, other values replaced. What is not concerned
 * keeps its bytes: comments, trailing commas, unquoted keys and single quotes (JSONC, JSON5) included.
 * @throws UsageError when `text` holds no object.
 */
export function mergeJson(text: string | undefined, additions: JsonObject): string {
  if (text === undefined || text.trim() === "") return `${JSON.stringify(additions, null, 2)}\n`;
  const edits = editsOf(text, parseDocument(text), additions);
  // From the end, so that places stay valid; at one place the comma comes before the member.
  return edits
    .map((edit, order) => ({ ...edit, order }))
    .sort((one, other) => other.at - one.at || other.order - one.order)
    .reduce((edited, { at, end, text: inserted }) => edited.slice(0, at) + inserted + edited.slice(end), text);
}

function parseDocument(text: string): Node {
  const start = skipTrivia(text, 0);
  const root = parseNode(text, start);
  if (root.members === undefined || skipTrivia(text, root.end) < text.length) throw unreadable(text, root.end);
  return root;
}

function editsOf(text: string, node: Node, patch: JsonObject): Edit[] {
  const members = node.members ?? [];
  const edits: Edit[] = [];
  const added: [key: string, value: unknown][] = [];
  for (const [key, value] of Object.entries(patch)) {
    const member = members.findLast((one) => one.key === key);
    if (member === undefined) added.push([key, value]);
    else if (member.node.members !== undefined && isObject(value)) edits.push(...editsOf(text, member.node, value));
    else if (JSON.stringify(member.node.value) !== JSON.stringify(value)) {
      const { start, end } = member.node;
      edits.push({ at: start, end, text: written(value, indentAt(text, member.keyStart), unitOf(text)) });
    }
  }
  return added.length === 0 ? edits : [...edits, ...insertion(text, node, added)];
}

/** New members at the end of an object; comments behind its last member stay there. */
function insertion(text: string, node: Node, added: readonly [string, unknown][]): Edit[] {
  const { members = [], start, end } = node;
  const last = members.at(-1);
  const unit = unitOf(text);
  const outer = indentAt(text, start);
  const onLines = last === undefined || text.slice(start, end).includes("\n");
  const inner = last !== undefined && startsLine(text, last.keyStart) ? indentAt(text, last.keyStart) : outer + unit;
  const lines = added.map(([key, value]) => `${JSON.stringify(key)}: ${written(value, onLines ? inner : "", unit)}`);
  if (!onLines && last) return [{ at: last.node.end, end: last.node.end, text: `, ${lines.join(", ")}` }];
  const close = end - 1;
  const contentEnd = text.slice(0, close).trimEnd().length;
  const body = `\n${inner}${lines.join(`,\n${inner}`)}\n${outer}`;
  const edits: Edit[] = [{ at: contentEnd, end: close, text: body }];
  if (last && text[skipTrivia(text, last.node.end)] !== ",") {
    edits.unshift({ at: last.node.end, end: last.node.end, text: "," });
  }
  return edits;
}

function written(value: unknown, indent: string, unit: string): string {
  return JSON.stringify(value, null, unit).replaceAll("\n", `\n${indent}`);
}

const lineStart = (text: string, at: number): number => text.lastIndexOf("\n", at - 1) + 1;

function startsLine(text: string, at: number): boolean {
  return text.slice(lineStart(text, at), at).trim() === "";
}

function indentAt(text: string, at: number): string {
  return /^[ \t]*/.exec(text.slice(lineStart(text, at)))?.[0] ?? "";
}

/** The indentation of the file's first indented line. */
function unitOf(text: string): string {
  return /\n([ \t]+)\S/.exec(text)?.[1] ?? "  ";
}

function parseNode(text: string, start: number): Node {
  if (text[start] === "{") return parseObject(text, start);
  if (text[start] === "[") return parseArray(text, start);
  if (text[start] === '"' || text[start] === "'") {
    const end = stringEnd(text, start);
    return { start, end, value: readString(text.slice(start, end)) };
  }
  const token = /^[\w.+-]+/.exec(text.slice(start))?.[0];
  if (token === undefined) throw unreadable(text, start);
  return { start, end: start + token.length, value: readToken(token) };
}

function parseObject(text: string, start: number): Node {
  const members: Member[] = [];
  let at = skipTrivia(text, start + 1);
  while (text[at] !== "}") {
    const quoted = text[at] === '"' || text[at] === "'";
    const keyEnd = quoted ? stringEnd(text, at) : at + (/^[\w$]+/.exec(text.slice(at))?.[0].length ?? 0);
    const key = quoted ? readString(text.slice(at, keyEnd)) : text.slice(at, keyEnd);
    const colon = skipTrivia(text, keyEnd);
    if (keyEnd === at || text[colon] !== ":") throw unreadable(text, at);
    const node = parseNode(text, skipTrivia(text, colon + 1));
    members.push({ key, keyStart: at, node });
    at = nextElement(text, node.end, "}");
  }
  const value = Object.fromEntries(members.map(({ key, node }) => [key, node.value]));
  return { start, end: at + 1, value, members };
}

function parseArray(text: string, start: number): Node {
  const values: unknown[] = [];
  let at = skipTrivia(text, start + 1);
  while (text[at] !== "]") {
    const node = parseNode(text, at);
    values.push(node.value);
    at = nextElement(text, node.end, "]");
  }
  return { start, end: at + 1, value: values };
}

function nextElement(text: string, end: number, close: string): number {
  const at = skipTrivia(text, end);
  if (text[at] === ",") return skipTrivia(text, at + 1);
  if (text[at] !== close) throw unreadable(text, at);
  return at;
}

function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== text[start]) at += text[at] === "\\" ? 2 : 1;
  if (at >= text.length) throw unreadable(text, start);
  return at + 1;
}

function readString(quoted: string): string {
  if (quoted.startsWith('"')) return JSON.parse(quoted.replace(/\\\r?\n/g, "")) as string;
  const inner = quoted.slice(1, -1).replaceAll("\\'", "'").replaceAll('"', '\\"');
  return JSON.parse(`"${inner.replace(/\\\r?\n/g, "")}"`) as string;
}

/** JSON5's other numbers are only compared, so their text will do. */
function readToken(token: string): unknown {
  try {
    return JSON.parse(token);
  } catch {
    return token;
  }
}

/** Index behind white space, comments and a byte order mark. */
function skipTrivia(text: string, start: number): number {
  const trivia = /(?:\s|\uFEFF|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
  trivia.lastIndex = start;
  return start + (trivia.exec(text)?.[0].length ?? 0);
}

function unreadable(text: string, at: number): UsageError {
  const line = text.slice(0, at).split("\n").length;
  return new UsageError(
    `the client's settings file cannot be read as JSON at line ${line}; put in by hand what is shown without --write`,
  );
}
