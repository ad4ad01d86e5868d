import type { ClientKey } from "../config/config.ts";
import { ProxyError } from "../errors.ts";
import type { HeaderBag } from "../platform.ts";

/**
 * The key that a request presents, as `Authorization: Bearer` (any case) or `x-api-key`, checked against the configured
 * ones by their hashes, all of them and in constant time.
 * @returns the key's label; undefined when no keys are configured.
 * @throws ProxyError `unauthorized`.
 */
export async function authenticate(headers: HeaderBag, keys: readonly ClientKey[]): Promise<string | undefined> {
  if (keys.length === 0) return undefined;
  const presented = presentedKey(headers);
  if (presented !== undefined) {
    const hash = await sha256Hex(presented);
    let label: string | undefined;
    for (const key of keys) if (equalText(hash, key.sha256)) label = key.label;
    if (label !== undefined) return label;
  }
  throw new ProxyError("unauthorized", "unauthorized", { code: "invalid_api_key" });
}

function presentedKey(headers: HeaderBag): string | undefined {
  const bearer = /^bearer +(\S+)\s*$/i.exec(headers.get("authorization") ?? "")?.[1];
  return bearer ?? headers.get("x-api-key") ?? undefined;
}

/** SHA-256 of a text's UTF-8 bytes, lower-case hex. */
export async function sha256Hex(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Compares without stopping at the first difference. */
function equalText(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at % b.length);
  return difference === 0;
}
