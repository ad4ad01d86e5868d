import { isObject } from "../json.ts";

/** Replaces or adds one string in JSON text. */
export interface JsonEdit {
  /** Keys from the outermost object inwards; objects that are absent are made. */
  readonly path: readonly [string, ...string[]];
  readonly value: string;
}

interface Member {
  readonly key: string;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/**
 * Edits JSON text in place: everything that is not named keeps its bytes, so indentation, key order, numbers of any size
 * and the trailing newline stay as another program wrote them. `text` is a valid JSON object.
 */
export function editJson(text: string, edits: readonly JsonEdit[]): string {
  return edits.reduce((edited, { path, value }) => setAt(edited, skipSpace(edited, 0), path, value), text);
}

function setAt(text: string, objectStart: number, path: readonly [string, ...string[]], value: string): string {
  const [key, ...rest] = path;
  const members = readMembers(text, objectStart);
  // The last of repeated keys is the one that JSON.parse reads.
  const member = members.findLast((candidate) => candidate.key === key);
  if (member === undefined) return addMember(text, objectStart, members, key, nested(rest, value));
  if (isPath(rest)) {
    if (text[member.valueStart] === "{") return setAt(text, member.valueStart, rest, value);
    return splice(text, member.valueStart, member.valueEnd, JSON.stringify(nested(rest, value)));
  }
  return splice(text, member.valueStart, member.valueEnd, JSON.stringify(value));
}

function addMember(text: string, objectStart: number, members: Member[], key: string, value: unknown): string {
  const last = members.at(-1);
  if (last === undefined) {
    const parsed: unknown = { [key]: value };
    return splice(text, objectStart, skipValue(text, objectStart), JSON.stringify(parsed, null, 2));
  }
  const lineStart = text.lastIndexOf("\n", last.valueStart) + 1;
  const indent = lineStart > objectStart ? `\n${/^[ \t]*/.exec(text.slice(lineStart))?.[0] ?? ""}` : " ";
  const step = indent === " " ? 0 : 2;
  const written = JSON.stringify(value, null, isObject(value) ? step : 0).replaceAll("\n", indent);
  return splice(text, last.valueEnd, last.valueEnd, `,${indent}${JSON.stringify(key)}: ${written}`);
}

function nested(path: readonly string[], value: string): unknown {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
}

function isPath(path: readonly string[]): path is [string, ...string[]] {
  return path.length > 0;
}

function splice(text: string, start: number, end: number, inserted: string): string {
  return text.slice(0, start) + inserted + text.slice(end);
}

/** Members of the object that opens at `start`. */
function readMembers(text: string, start: number): Member[] {
  const members: Member[] = [];
  let at = skipSpace(text, start + 1);
  while (text[at] !== "}" && at < text.length) {
    const keyEnd = skipValue(text, at);
    const key = JSON.parse(text.slice(at, keyEnd)) as string;
    const valueStart = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const valueEnd = skipValue(text, valueStart);
    members.push({ key, valueStart, valueEnd });
    at = skipSpace(text, valueEnd);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return members;
}

/** Index behind the value that starts at `start`. */
function skipValue(text: string, start: number): number {
  let depth = 0;
  let at = start;
  do {
    const character = text[at];
    if (character === '"') at = skipString(text, at);
    else {
      if (character === "{" || character === "[") depth++;
      if (character === "}" || character === "]") depth--;
      at++;
      if (depth === 0 && character !== "}" && character !== "]") while (/[\w.+-]/.test(text[at] ?? "")) at++;
    }
  } while (depth > 0 && at < text.length);
  return at;
}

function skipString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"' && at < text.length) at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (/\s/.test(text[at] ?? "")) at++;
  return at;
}
