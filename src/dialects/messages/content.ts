import type { ContentPart } from "../../canonical/request.ts";
import { isObject, type JsonObject } from "../../json.ts";
import type { ContentBlock, DocumentBlock, ImageBlock, SearchResultBlock, ToolResultBlock } from "./schema.ts";

/** Collects the names of what cannot be carried. */
export type Report = (name: string) => void;

/** A block as parts of a user message or a tool result, in order; none for an empty text, which upstream refuses. */
export function toParts(block: ContentBlock, report: Report): ContentPart[] {
  switch (block.type) {
    case "text":
      return textParts(block.text);
    case "image":
      return [imagePart(block, report)];
    case "document":
      return documentParts(block, report);
    case "search_result":
      return textParts(searchResultText(block));
    default:
      return textParts(describe(block));
  }
}

/** A tool's result: plain text where it is nothing else, parts where it holds images or documents. */
export function toToolOutput(block: ToolResultBlock, report: Report): string | ContentPart[] {
  const parts =
    typeof block.content === "string"
      ? textParts(block.content)
      : (block.content ?? []).flatMap((inner) => toParts(inner, report));
  // The Responses API has no error flag on an output, so the text says it.
  if (block.is_error) parts.unshift({ type: "input_text", text: "The tool call failed:" });
  const texts = parts.map((part) => (part.type === "input_text" ? part.text : undefined));
  return texts.every((text) => text !== undefined) ? texts.join("\n") : parts;
}

/** A block without a counterpart, as text, so that the model still sees it. Cache marks are of no interest to it. */
function describe(block: object): string {
  const { type, cache_control: _cache, ...rest } = block as JsonObject;
  return `<${String(type)}>${JSON.stringify(rest)}</${String(type)}>`;
}

export function textParts(text: string): ContentPart[] {
  return text === "" ? [] : [{ type: "input_text", text }];
}

function imagePart({ source }: ImageBlock, report: Report): ContentPart {
  if (source.type === "base64" && typeof source.data === "string") {
    return { type: "input_image", image_url: dataUrl(source, "image/png") };
  }
  if (source.type === "url" && typeof source.url === "string") return { type: "input_image", image_url: source.url };
  return missing("image", source, report);
}

function documentParts(block: DocumentBlock, report: Report): ContentPart[] {
  if (isObject(block.citations) && block.citations.enabled === true) report("document.citations");
  const { source } = block;
  const head = attributes(block);
  if (source.type === "text" && typeof source.data === "string") return wrapped(head, textParts(source.data));
  if (source.type === "content") return wrapped(head, nestedParts(source.content, report));
  const label = head === "" ? [] : textParts(`<document${head} />`);
  return [...label, filePart(block, report)];
}

function filePart({ source, title }: DocumentBlock, report: Report): ContentPart {
  if (source.type === "base64" && typeof source.data === "string") {
    return { type: "input_file", filename: fileName(title), file_data: dataUrl(source, "application/pdf") };
  }
  if (source.type === "url" && typeof source.url === "string") return { type: "input_file", file_url: source.url };
  return missing("document", source, report);
}

function nestedParts(content: unknown, report: Report): ContentPart[] {
  if (typeof content === "string") return textParts(content);
  if (!Array.isArray(content)) return [];
  return content.filter(isObject).flatMap((block) => toParts(block as unknown as ContentBlock, report));
}

function wrapped(head: string, parts: ContentPart[]): ContentPart[] {
  if (parts.length === 1 && parts[0]?.type === "input_text") {
    return textParts(`<document${head}>\n${parts[0].text}\n</document>`);
  }
  return [...textParts(`<document${head}>`), ...parts, ...textParts("</document>")];
}

function attributes({ title, context }: DocumentBlock): string {
  return (title ? ` title=${JSON.stringify(title)}` : "") + (context ? ` context=${JSON.stringify(context)}` : "");
}

function searchResultText({ title, source, content }: SearchResultBlock): string {
  const text = content.map((block) => block.text).join("\n");
  return `<search_result title=${JSON.stringify(title)} source=${JSON.stringify(source)}>\n${text}\n</search_result>`;
}

/** A file that was uploaded to Anthropic's Files API: nobody here can read it. */
function missing(kind: "image" | "document", source: JsonObject, report: Report): ContentPart {
  report(`${kind}.source.${typeof source.type === "string" ? source.type : "unknown"}`);
  const name = typeof source.file_id === "string" ? ` ${source.file_id}` : "";
  return { type: "input_text", text: `[${kind}${name} is not available]` };
}

function dataUrl(source: JsonObject, fallback: string): string {
  const type = typeof source.media_type === "string" ? source.media_type : fallback;
  // Upstream takes no line breaks inside base64.
  return `data:${type};base64,${String(source.data).replace(/\s+/g, "")}`;
}

/** Upstream tells a file's kind by its name. */
function fileName(title: string | null | undefined): string {
  const base = (title ?? "").replace(/[^\p{L}\p{N} ._-]/gu, "_").trim() || "document";
  return base.toLowerCase().endsWith(".pdf") ? base : `${base}.pdf`;
}
