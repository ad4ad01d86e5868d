import { sha256Hex } from "../http/local-auth.ts";
import type { FileStore } from "../platform.ts";
import type { ClientKey } from "./config.ts";
import { ConfigError } from "./config-error.ts";

const HASHED = /^(?:([\w.-]{1,64}):)?sha256:([0-9a-f]{64})$/i;
/** `sha256:…` is no label. */
const LABELLED = /^(?!sha256:)([\w.-]{1,64}):\s*(\S+)$/;

/**
 * Keys as the user gave them, hashed: from here on nobody can read them back. The first without a label is `default`,
 * others are numbered.
 * @throws ConfigError when a client could not send one in a header.
 */
export function hashKeys(texts: readonly string[]): Promise<ClientKey[]> {
  return Promise.all(texts.map((text, at) => hashKey(text.trim(), at === 0 ? "default" : `key-${at + 1}`)));
}

async function hashKey(text: string, fallback: string): Promise<ClientKey> {
  const hashed = HASHED.exec(text);
  if (hashed) return { label: hashed[1] ?? fallback, sha256: (hashed[2] as string).toLowerCase() };
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw new ConfigError("--api-key must be printable ASCII without spaces: clients send it in a header");
  }
  return { label: fallback, sha256: await sha256Hex(text) };
}

/**
 * Keys of `--api-key-file`: one a line, empty lines and `#` comments left out.
 * @throws ConfigError when the file cannot be read or holds none.
 */
export async function readKeyFile(files: FileStore, path: string): Promise<ClientKey[]> {
  const text = await files.readText(path).catch(() => undefined);
  if (text === undefined) throw new ConfigError(`--api-key-file ${path} cannot be read`);
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (lines.length === 0) throw new ConfigError(`--api-key-file ${path} holds no key`);
  const keys = await hashKeys(lines.map((line) => LABELLED.exec(line)?.[2] ?? line));
  return keys.map((key, at) => ({ ...key, label: LABELLED.exec(lines[at] as string)?.[1] ?? key.label }));
}

/** How a key is kept in config.toml and handed to the server in the background. */
export function storedKey({ label, sha256 }: ClientKey): string {
  return label === "default" ? `sha256:${sha256}` : `${label}:sha256:${sha256}`;
}
