/** The one place where fields and headers become log text: no secret gets past it. */

const HIDDEN = "<redacted>";
const SECRET_KEYS = new Set([
  "authorization",
  "proxy-authorization",
  "api_key",
  "apikey",
  "access_token",
  "refresh_token",
  "id_token",
  "code_verifier",
  "personal_access_token",
  "openai_api_key",
  "cookie",
  "set-cookie",
  "x-api-key",
]);
/** Finds a secret's key in JSON text; the exact test is by key. Most lines have none and are spared a replacer's cost. */
const SECRET_KEY_TEXT = new RegExp(`"(?:${[...SECRET_KEYS].join("|")})":`, "i");

/** Keys, personal access tokens, refresh tokens, JWTs and bearer values, wherever they stand in a text. */
const SECRET_TEXT =
  /\b(?:sk-[\w-]{8,}|at-[\w-]{16,}|rt[_.][\w.-]{16,}|eyJ[\w-]{8,}\.[\w-]{2,}(?:\.[\w-]*)?)|\b(bearer )(?!<)[^\s"'\\,]{6,}|(:\/\/[^\s:/@"\\]*:)[^\s/@"\\]+(?=@)/gi;
/** Cheap test that most lines fail. */
const MAY_HOLD_SECRET = /sk-|at-|rt[_.]|eyJ|bearer |:\/\//i;
/** Pictures and files in debug messages. */
const DATA_URL = /(data:[\w.+-]+\/[\w.+-]+;base64,)[A-Za-z0-9+/=_-]{64,}/g;
const LONG_BASE64 = /"(data|file_data|image_url|result|partial_image_b64)":"[A-Za-z0-9+/=_-]{512,}"/g;

/** A text with everything in it that looks like a secret put out of sight. */
export function redactText(text: string): string {
  if (!MAY_HOLD_SECRET.test(text)) return text;
  return text.replace(
    SECRET_TEXT,
    (_match, bearer: string | undefined, user: string | undefined) => `${bearer ?? user ?? ""}${HIDDEN}`,
  );
}

/** JSON of log fields: secrets redacted by key and by form, images by their size. Never throws. */
export function toRedactedJson(fields: Record<string, unknown>): string {
  let text: string;
  try {
    text = JSON.stringify(fields);
    if (SECRET_KEY_TEXT.test(text)) text = JSON.stringify(fields, hideKeys);
  } catch {
    // A cycle or a BigInt: that there was something is what can be told.
    return '{"unloggable":true}';
  }
  return redactText(elideImages(text));
}

function hideKeys(key: string, value: unknown): unknown {
  const secret = value !== null && value !== undefined && value !== "" && SECRET_KEYS.has(key.toLowerCase());
  return secret ? HIDDEN : value;
}

function elideImages(text: string): string {
  if (text.length < 128) return text;
  const elided = (start: string, whole: string): string => `${start}<${whole.length - start.length} characters>`;
  const shorter = text.includes(";base64,")
    ? text.replace(DATA_URL, (whole, start: string) => elided(start, whole))
    : text;
  if (shorter.length < 512) return shorter;
  return shorter.replace(LONG_BASE64, (whole, key: string) => `"${key}":"<${whole.length} characters>"`);
}
