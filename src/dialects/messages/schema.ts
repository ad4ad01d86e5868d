import type { JsonObject } from "../../json.ts";

/**
 * Request of `POST /v1/messages` (https://platform.claude.com/docs/en/api/messages) as far as the translation reads it.
 * Everything else stays in the object and is reported by `request.ts`.
 */
export interface MessagesBody {
  model: string;
  messages: Message[];
  /** Absent in `count_tokens` requests. */
  max_tokens?: number;
  system?: string | TextBlock[];
  tools?: ToolParam[];
  tool_choice?: ToolChoice;
  thinking?: ThinkingConfig | null;
  output_config?: OutputConfig | null;
  output_format?: JsonObject | null;
  stop_sequences?: string[];
  stream?: boolean;
  metadata?: { user_id?: string | null; [key: string]: unknown } | null;
  /** Server-held history: `{type: "create"}` or `{type: "continue", previous_message_id}`; served by the route. */
  thread?: JsonObject | null;
  [key: string]: unknown;
}

export interface Message {
  role: "user" | "assistant" | "system";
  content: string | ContentBlock[];
  /** System messages only: `next_user_message` hides the text once a later user message exists. */
  clear_at?: string | null;
  output_config?: OutputConfig | null;
}

interface OutputConfig {
  effort?: string | null;
  format?: JsonObject | null;
  [key: string]: unknown;
}

interface ThinkingConfig {
  type: "enabled" | "disabled" | "adaptive" | "between_tools";
  budget_tokens?: number;
  display?: string | null;
}

interface ToolChoice {
  type: "auto" | "any" | "tool" | "none";
  name?: string;
  disable_parallel_tool_use?: boolean;
}

/** A custom tool has `input_schema`; the ones that Anthropic defines are known by `type`. */
export interface ToolParam {
  type?: string | null;
  name?: string;
  description?: string;
  input_schema?: unknown;
  strict?: boolean | null;
  [key: string]: unknown;
}

interface TextBlock {
  type: "text";
  text: string;
}
export interface ImageBlock {
  type: "image";
  source: JsonObject;
}
export interface DocumentBlock {
  type: "document";
  source: JsonObject;
  title?: string | null;
  context?: string | null;
  citations?: JsonObject | null;
}
export interface SearchResultBlock {
  type: "search_result";
  source: string;
  title: string;
  content: TextBlock[];
}
interface ThinkingBlock {
  type: "thinking";
  thinking: string;
  signature?: string;
}
interface RedactedThinkingBlock {
  type: "redacted_thinking";
  data: string;
}
interface ToolUseBlock {
  type: "tool_use";
  id: string;
  name: string;
  input: unknown;
}
export interface ToolResultBlock {
  type: "tool_result";
  tool_use_id: string;
  content?: string | ContentBlock[];
  is_error?: boolean;
}

/** The blocks that have a counterpart upstream; all others are carried as text (`content.ts`). */
export type ContentBlock =
  | TextBlock
  | ImageBlock
  | DocumentBlock
  | SearchResultBlock
  | ThinkingBlock
  | RedactedThinkingBlock
  | ToolUseBlock
  | ToolResultBlock;
