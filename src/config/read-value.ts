import { isLoopback } from "../http/host-guard.ts";
import { ConfigError } from "./config-error.ts";
import type { Option } from "./options.ts";

const TRUE = /^(1|true|yes|on)$/i;
const FALSE = /^(0|false|no|off)$/i;
const UNITS: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/**
 * One value of an option, checked.
 * @param source how the user named it: `--port`, `CODEX_PROXY_PORT`, or the file's key.
 * @throws ConfigError which names the source and what is allowed.
 */
export function readValue(option: Option, value: unknown, source: string): unknown {
  switch (option.type) {
    case "boolean":
      return readBoolean(value, source);
    case "integer":
      return readInteger(option, value, source);
    case "size":
      return readInteger(option, readSize(value, source), source);
    case "list":
    case "secrets":
      return readList(option, value, source);
    case "choice":
      return readChoice(option, value, source);
    case "url":
      return readBaseUrl(readText(value, source), source);
    case "proxy":
      return readProxy(readText(value, source), source);
    case "text":
      return readFilled(value, source);
  }
}

function readBoolean(value: unknown, source: string): boolean {
  if (typeof value === "boolean") return value;
  if (typeof value === "string" && TRUE.test(value)) return true;
  if (typeof value === "string" && FALSE.test(value)) return false;
  throw new ConfigError(`${source} must be true or false, not ${show(value)}`);
}

function readInteger({ min = 0, max = Number.MAX_SAFE_INTEGER }: Option, value: unknown, source: string): number {
  const number = typeof value === "string" && /^\d+$/.test(value.trim()) ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number) && number >= min && number <= max) return number;
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  throw new ConfigError(`${source} must be a whole number ${range}, not ${show(value)}`);
}

function readSize(value: unknown, source: string): unknown {
  if (typeof value !== "string") return value;
  const match = /^(\d+)\s*([KMG]?)(?:i?B)?$/i.exec(value.trim());
  if (!match) throw new ConfigError(`${source} must be a size such as 67108864 or 64M, not ${show(value)}`);
  return Number(match[1]) * (UNITS[(match[2] ?? "").toUpperCase()] ?? 1);
}

/** Entries are parted by commas, which names and aliases do not hold; a key may, so it is taken whole. */
function readList(option: Option, value: unknown, source: string): string[] {
  const given = Array.isArray(value) ? value : [value];
  // As of a variable that the user thought was set: without a key the server would be open.
  if (option.type === "secrets" && given.some((one) => typeof one === "string" && one.trim() === "")) {
    throw new ConfigError(`${source} is empty; give the key, or leave the option out for a server without one`);
  }
  const entries = given
    .flatMap((one) => (option.type === "secrets" ? [readText(one, source)] : readText(one, source).split(",")))
    .map((one) => one.trim())
    .filter((one) => one !== "");
  const wrong = option.name === "model_alias" ? entries.find((one) => !/^[^=]+=[^=]+$/.test(one)) : undefined;
  if (wrong !== undefined) throw new ConfigError(`${source} must be NAME=MODEL, not ${show(wrong)}`);
  return entries;
}

function readChoice({ choices = [] }: Option, value: unknown, source: string): string {
  if (typeof value === "string" && choices.includes(value)) return value;
  throw new ConfigError(`${source} must be one of ${choices.join(", ")}, not ${show(value)}`);
}

function readText(value: unknown, source: string): string {
  if (typeof value === "string") return value;
  throw new ConfigError(`${source} must be a text, not ${show(value)}`);
}

function readFilled(value: unknown, source: string): string {
  const text = readText(value, source).trim();
  if (text === "") throw new ConfigError(`${source} needs a value`);
  return text;
}

/** An upstream's base URL without trailing slashes: tokens go there, so plain http is for loopback only. */
export function readBaseUrl(text: string, source: string): string {
  const url = parseUrl(text);
  if (url && (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname)))) {
    if (url.username === "" && url.password === "") return text.trim().replace(/\/+$/, "");
  }
  throw new ConfigError(`${source} must be an https:// URL (http:// only to loopback), not ${show(withoutUser(text))}`);
}

/** Empty for no proxy; a bare `host:port` is taken as http. Its password never gets into a message. */
function readProxy(text: string, source: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const url = parseUrl(/^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`);
  if (url && (url.protocol === "http:" || url.protocol === "https:") && url.hostname !== "") return url.href;
  throw new ConfigError(`${source} must be an http:// or https:// URL of a proxy, not ${show(withoutUser(trimmed))}`);
}

function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text.trim());
  } catch {
    return undefined;
  }
}

const withoutUser = (text: string): string => text.replace(/\/\/[^/]*@|^[^/]*@/, "//***@");

function show(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 80) ?? "nothing";
}
