/**
 * Upstream's encrypted reasoning travels through the client as the `signature` of a thinking block or the `data` of a
 * redacted one, and comes back with the next turn. The text is `codex-1:<model>:<encrypted content>`: the prefix tells
 * it from another provider's signature, the model (as the client named it, URL-encoded) from another model's reasoning,
 * which upstream cannot read.
 */
const PREFIX = "codex-1:";

/** The opaque text for the client. */
export function encodeSignature(model: string, encrypted: string): string {
  return `${PREFIX}${modelTag(model)}:${encrypted}`;
}

/** The encrypted reasoning inside; undefined for a signature that this model's upstream did not make. */
export function decodeSignature(model: string, signature: string | undefined): string | undefined {
  if (!signature?.startsWith(PREFIX)) return undefined;
  const end = signature.indexOf(":", PREFIX.length);
  if (end < 0 || signature.slice(PREFIX.length, end) !== modelTag(model)) return undefined;
  return signature.slice(end + 1) || undefined;
}

/** Claude Code appends `[1m]` to some requests of one conversation and not to others: the model is the same. */
function modelTag(model: string): string {
  return encodeURIComponent(model.replace(/\[[^\]]*\]$/, ""));
}
