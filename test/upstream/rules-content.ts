import { isObject, type JsonObject, lookup } from "./json.ts";
import { invalid, invalidType, invalidValue, missingParameter, unknownParameter, unsupportedValue } from "./refusal.ts";

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  input_text: ["type", "text"],
  input_image: ["type", "image_url", "detail"],
  input_file: ["type", "filename", "file_data", "file_url"],
  output_text: ["type", "text", "annotations", "logprobs"],
  refusal: ["type", "refusal"],
};
const IMAGES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** Checks the parts of a message or of a tool's output. Throws {@link Refusal} 400. */
export function checkContent(content: unknown, path: string, supported: readonly string[], lite: boolean): void {
  if (typeof content === "string") return;
  if (!Array.isArray(content))
    throw content === undefined
      ? missingParameter(path)
      : invalidType(path, "one of an array of objects or string", content);
  for (const [index, part] of content.entries()) {
    const at = `${path}[${index}]`;
    if (!isObject(part)) throw invalidType(at, "an object", part);
    checkPart(part, at, supported, lite);
  }
}

function checkPart(part: JsonObject, at: string, supported: readonly string[], lite: boolean): void {
  if (part.type === undefined) throw missingParameter(`${at}.type`);
  const type = String(part.type);
  if (!supported.includes(type)) throw invalidValue(`${at}.type`, type, supported);
  for (const field of Object.keys(part))
    if (!lookup(FIELDS, type)?.includes(field)) throw unknownParameter(`${at}.${field}`);
  if (type === "refusal") requireString(part.refusal, `${at}.refusal`);
  else if (type === "input_image") checkImage(part, at, lite);
  else if (type === "input_file") checkFile(part, at);
  else requireString(part.text, `${at}.text`);
}

function checkImage(part: JsonObject, at: string, lite: boolean): void {
  requireString(part.image_url, `${at}.image_url`);
  if (lite && part.detail !== undefined)
    throw unsupportedValue("Responses Lite does not support image `detail`.", `${at}.detail`);
  if (part.detail !== undefined && !["auto", "low", "high", "original"].includes(String(part.detail))) {
    throw invalidValue(`${at}.detail`, part.detail, ["low", "high", "auto", "original"]);
  }
  const url = String(part.image_url);
  if (/^https?:\/\/[^\s/]+/.test(url)) return;
  const data = /^data:([^;,]+);base64,(.*)$/s.exec(url);
  if (data === null)
    throw invalid(
      `Invalid '${at}.image_url'. Expected a valid URL, but got a value with an invalid format.`,
      `${at}.image_url`,
      "invalid_value",
    );
  if (!IMAGES.includes(data[1] ?? "")) {
    throw invalid(
      "The image data you provided does not represent a valid image. Please check your input and try again with one of the following image formats: ['image/jpeg', 'image/png', 'image/gif', 'image/webp'].",
      `${at}.image_url`,
      "invalid_image_format",
    );
  }
  checkBase64(data[2] ?? "", `${at}.image_url`);
}

function checkFile(part: JsonObject, at: string): void {
  if (part.file_url !== undefined) {
    if (part.file_data !== undefined)
      throw invalid(
        `Only one of '${at}.file_url' and '${at}.file_data' may be given.`,
        at,
        "mutually_exclusive_parameters",
      );
    if (!/^https?:\/\/[^\s/]+/.test(String(part.file_url)))
      throw invalid(
        `Invalid '${at}.file_url'. Expected a valid URL, but got a value with an invalid format.`,
        `${at}.file_url`,
        "invalid_value",
      );
    return;
  }
  requireString(part.file_data, `${at}.file_data`);
  requireString(part.filename, `${at}.filename`);
  const data = /^data:([^;,]+);base64,(.*)$/s.exec(String(part.file_data));
  if (data === null)
    throw invalid(
      `Invalid '${at}.file_data'. Expected a base64-encoded data URL with a MIME type (e.g. 'data:application/pdf;base64,...'), but got a value without the 'data:' prefix.`,
      `${at}.file_data`,
      "invalid_value",
    );
  checkBase64(data[2] ?? "", `${at}.file_data`);
}

function checkBase64(text: string, path: string): void {
  const wellFormed = text.length > 0 && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
  if (wellFormed) return;
  const got = text.length === 0 ? "empty base64-encoded bytes" : "unsupported or malformed base64";
  throw invalid(`Invalid '${path}'. Expected a base64-encoded data URL, but got ${got}.`, path, "invalid_base64");
}

function requireString(value: unknown, path: string): void {
  if (value === undefined) throw missingParameter(path);
  if (typeof value !== "string") throw invalidType(path, "a string", value);
}
