/** API keys, personal access tokens, refresh tokens and JWTs, also with their end cut off or masked. */
const SECRET = /\b(?:sk-|eyJ|at-(?=[\w-]{16})|rt_)[A-Za-z0-9_\-.*]{6,}/g;

/** A text of upstream's with every credential in it put out of sight: upstream sometimes quotes the one that it refused. */
export function hideSecrets(text: string): string {
  return text.replace(SECRET, "<redacted>");
}
