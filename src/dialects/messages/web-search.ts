import type { OutputItem, OutputPart } from "../../canonical/event.ts";
import { isObject, type JsonObject } from "../../json.ts";

export interface Citation {
  type: "web_search_result_location";
  cited_text: string;
  url: string;
  title: string;
  encrypted_index: string;
}

interface SearchResult {
  type: "web_search_result";
  url: string;
  title: string;
  encrypted_content: string;
  page_age: null;
}

export interface SearchBlocks {
  use: { type: "server_tool_use"; id: string; name: "web_search"; input: { query: string } };
  result: {
    type: "web_search_tool_result";
    tool_use_id: string;
    content: SearchResult[] | { type: "web_search_tool_result_error"; error_code: "unavailable" };
  };
}

type SearchCall = OutputItem & { type: "web_search_call" };

/** Stands where Anthropic puts the encrypted page: clients need a text there, upstream needs nothing back. */
const OPAQUE = "codex-api-proxy";

/** True when the search says itself what it found; otherwise the citations of the message that follows tell. */
export function hasSources(item: SearchCall): boolean {
  return item.status === "failed" || sourcesOf(item).length > 0;
}

/** A finished search as the pair of blocks that the Messages API shows. */
export function toSearchBlocks(item: SearchCall, message: OutputItem | undefined): SearchBlocks {
  const id = `srvtoolu_${(item.id ?? "search").replace(/[^a-zA-Z0-9_]/g, "_")}`;
  const found = hasSources(item) ? sourcesOf(item) : citedBy(message);
  return {
    use: { type: "server_tool_use", id, name: "web_search", input: { query: queryOf(item) } },
    result: {
      type: "web_search_tool_result",
      tool_use_id: id,
      content:
        item.status === "failed"
          ? { type: "web_search_tool_result_error", error_code: "unavailable" }
          : withoutRepeats(found),
    },
  };
}

/** A `url_citation` annotation as a citation of the text; undefined for any other annotation. */
function toCitation(annotation: JsonObject, text: string): Citation | undefined {
  if (annotation.type !== "url_citation" || typeof annotation.url !== "string") return undefined;
  const { url, title, start_index: start, end_index: end } = annotation;
  const cited = typeof start === "number" && typeof end === "number" ? text.slice(start, end) : "";
  return {
    type: "web_search_result_location",
    cited_text: cited,
    url,
    title: titleOf(title, url),
    encrypted_index: OPAQUE,
  };
}

/** The citations of a finished text part, in order. */
export function citationsOf(part: OutputPart): Citation[] {
  if (part.type !== "output_text") return [];
  return (part.annotations ?? []).flatMap((annotation) => toCitation(annotation, part.text) ?? []);
}

function queryOf({ action }: SearchCall): string {
  if (typeof action?.query === "string" && action.query !== "") return action.query;
  const queries = Array.isArray(action?.queries) ? action.queries : [];
  return queries.filter((query) => typeof query === "string").join("; ");
}

function sourcesOf({ action }: SearchCall): SearchResult[] {
  const sources = Array.isArray(action?.sources) ? action.sources : [];
  return sources.flatMap((source) =>
    isObject(source) && typeof source.url === "string" ? [toResult(source.url, source.title)] : [],
  );
}

function citedBy(message: OutputItem | undefined): SearchResult[] {
  if (message?.type !== "message") return [];
  return message.content.flatMap(citationsOf).map(({ url, title }) => toResult(url, title));
}

function toResult(url: string, title: unknown): SearchResult {
  return { type: "web_search_result", url, title: titleOf(title, url), encrypted_content: OPAQUE, page_age: null };
}

function withoutRepeats(results: SearchResult[]): SearchResult[] {
  return [...new Map(results.map((result) => [result.url, result])).values()];
}

/** A source without a title is named by its host, as search pages do. */
function titleOf(title: unknown, url: string): string {
  if (typeof title === "string" && title !== "") return title;
  return /^[a-z]+:\/\/([^/?#]+)/i.exec(url)?.[1] ?? url;
}
