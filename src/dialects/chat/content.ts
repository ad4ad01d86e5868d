import type { ContentPart } from "../../canonical/request.ts";
import { isObject, type JsonObject } from "../../json.ts";
import { invalid, wrongType } from "./schema.ts";

/** Hears of what a translation leaves out, by the client's own name of it. */
export type Report = (name: string) => void;

/** The contents of one kind of message: which part types it may have, and how its text is named upstream. */
export interface ContentRules {
  readonly text: "input_text" | "output_text";
  readonly parts: ReadonlySet<string>;
}

export const TEXT_ONLY: ContentRules = { text: "input_text", parts: new Set(["text"]) };
export const USER: ContentRules = { text: "input_text", parts: new Set(["text", "image_url", "file", "input_audio"]) };
/** OpenAI's own spec allows text here; images and files are what agents' tools return. */
export const TOOL: ContentRules = { text: "input_text", parts: new Set(["text", "image_url", "file"]) };
export const ASSISTANT: ContentRules = { text: "output_text", parts: new Set(["text", "refusal"]) };

/**
 * A message's content as Responses parts. Empty texts are left out: upstream refuses them.
 * @throws ProxyError `invalid_request` naming the part.
 */
export function toParts(content: unknown, rules: ContentRules, path: string, report: Report): ContentPart[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: rules.text, text: content }];
  if (!Array.isArray(content)) throw wrongType(path, "string or array of parts");
  const parts: ContentPart[] = [];
  content.forEach((part: unknown, index) => {
    const at = `${path}[${index}]`;
    if (!isObject(part)) throw wrongType(at, "object");
    if (typeof part.type !== "string" || !rules.parts.has(part.type)) {
      throw invalid(`${at}.type must be one of ${[...rules.parts].join(", ")}`, `${at}.type`);
    }
    if (part.prompt_cache_breakpoint) report("prompt_cache_breakpoint");
    const translated = toPart(part, rules, at);
    if (translated) parts.push(translated);
  });
  return parts;
}

function toPart(part: JsonObject, rules: ContentRules, at: string): ContentPart | undefined {
  switch (part.type) {
    case "text":
      if (typeof part.text !== "string") throw wrongType(`${at}.text`, "string");
      return part.text === "" ? undefined : { type: rules.text, text: part.text };
    case "refusal":
      if (typeof part.refusal !== "string") throw wrongType(`${at}.refusal`, "string");
      return part.refusal === "" ? undefined : { type: "refusal", refusal: part.refusal };
    case "image_url":
      return toImage(part.image_url, `${at}.image_url`);
    case "file":
      return toFile(part.file, `${at}.file`);
    default:
      throw invalid(
        `${at}: no Codex model takes audio input; send a transcript as a text part instead`,
        `${at}.input_audio`,
      );
  }
}

/** `image_url` is an object in the spec; a bare string is what many programs send. */
function toImage(image: unknown, at: string): ContentPart {
  if (typeof image === "string") return { type: "input_image", image_url: image, detail: "auto" };
  if (!isObject(image)) throw wrongType(at, "object");
  if (typeof image.url !== "string") throw wrongType(`${at}.url`, "string");
  return {
    type: "input_image",
    image_url: image.url,
    detail: typeof image.detail === "string" ? image.detail : "auto",
  };
}

function toFile(file: unknown, at: string): ContentPart {
  if (!isObject(file)) throw wrongType(at, "object");
  if (typeof file.file_id === "string") return { type: "input_file", file_id: file.file_id };
  if (typeof file.file_data !== "string") throw invalid(`${at} needs file_data or file_id`, `${at}.file_data`);
  // Upstream wants a data URL and a name; Chat also takes bare base64, which can only be a PDF there.
  const data = file.file_data.startsWith("data:") ? file.file_data : `data:application/pdf;base64,${file.file_data}`;
  const filename = typeof file.filename === "string" && file.filename !== "" ? file.filename : "file.pdf";
  return { type: "input_file", filename, file_data: data };
}
