import type { ResponsesBody } from "../canonical/request.ts";
import { isObject } from "../json.ts";
import { imageTokens } from "./image.ts";

/** What a request is made of, as far as tokens go: texts to be counted and a fixed number for all else. */
export interface Measured {
  texts: string[];
  /** Images, documents and the marks between items. */
  fixed: number;
}

/** Marks round one message, call or tool. */
const ITEM_OVERHEAD = 4;
/** A page of a document costs about so much; an unreadable document counts by its size. */
const PAGE_TOKENS = 1_000;
const DOCUMENT_BYTES_PER_TOKEN = 16;
/** Encrypted reasoning is about four times as long as what it stands for is in tokens. */
const ENCRYPTED_CHARS_PER_TOKEN = 16;

/** Everything of a body that upstream will count as input: instructions, items, results, tools with their schemas. */
export function measure(body: ResponsesBody): Measured {
  const found: Measured = { texts: [], fixed: 3 };
  if (typeof body.instructions === "string") found.texts.push(body.instructions);
  for (const item of body.input) measureItem(item, found);
  for (const tool of body.tools ?? []) {
    found.fixed += ITEM_OVERHEAD;
    found.texts.push(JSON.stringify(tool));
  }
  if (isObject(body.text?.format) && body.text.format.type === "json_schema")
    found.texts.push(JSON.stringify(body.text.format));
  return found;
}

function measureItem(item: unknown, found: Measured): void {
  if (!isObject(item)) return;
  found.fixed += ITEM_OVERHEAD;
  if (item.type === "reasoning") {
    if (typeof item.encrypted_content === "string") {
      found.fixed += Math.ceil(item.encrypted_content.length / ENCRYPTED_CHARS_PER_TOKEN);
    }
    return;
  }
  for (const key of ["name", "arguments", "input"] as const) {
    const text = item[key];
    if (typeof text === "string") found.texts.push(text);
  }
  measureContent(item.content, found);
  measureContent(item.output, found);
  if (Array.isArray(item.tools)) found.texts.push(JSON.stringify(item.tools));
}

function measureContent(content: unknown, found: Measured): void {
  if (typeof content === "string") {
    found.texts.push(content);
    return;
  }
  if (!Array.isArray(content)) return;
  for (const part of content) {
    if (!isObject(part)) continue;
    if (typeof part.text === "string") found.texts.push(part.text);
    else if (typeof part.refusal === "string") found.texts.push(part.refusal);
    else if (part.type === "input_image") found.fixed += imageTokens(String(part.image_url ?? ""), part.detail);
    else if (part.type === "input_file") found.fixed += documentTokens(part.file_data);
  }
}

function documentTokens(data: unknown): number {
  if (typeof data !== "string") return PAGE_TOKENS;
  const bytes = data.length * 0.75;
  return Math.max(PAGE_TOKENS, Math.ceil(bytes / DOCUMENT_BYTES_PER_TOKEN / 4));
}
