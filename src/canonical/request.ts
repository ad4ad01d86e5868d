import type { JsonObject } from "../json.ts";

/**
 * The middle of every translation is upstream's own format, the OpenAI Responses API
 * (https://platform.openai.com/docs/api-reference/responses/create). Known fields are typed; anything else a client
 * sends in Responses terms stays in place and is judged by the backend's field rules (`upstream/chatgpt.ts`).
 */
export interface ResponsesBody {
  model: string;
  input: InputItem[];
  instructions?: string | null;
  tools?: Tool[];
  tool_choice?: unknown;
  parallel_tool_calls?: boolean | null;
  reasoning?: {
    effort?: string | null;
    summary?: string | null;
    context?: string | null;
    [key: string]: unknown;
  } | null;
  text?: { format?: JsonObject; verbosity?: string | null; [key: string]: unknown } | null;
  include?: string[] | null;
  service_tier?: string | null;
  prompt_cache_key?: string | null;
  max_output_tokens?: number | null;
  stream?: boolean | null;
  store?: boolean | null;
  [key: string]: unknown;
}

/** Content of a message or a tool output. */
export type ContentPart =
  | { type: "input_text"; text: string; [key: string]: unknown }
  | { type: "output_text"; text: string; [key: string]: unknown }
  | { type: "refusal"; refusal: string; [key: string]: unknown }
  | { type: "input_image"; image_url?: string; file_id?: string; detail?: string; [key: string]: unknown }
  | {
      type: "input_file";
      filename?: string;
      file_data?: string;
      file_url?: string;
      file_id?: string;
      [key: string]: unknown;
    }
  | { type: "input_audio"; [key: string]: unknown };

export type MessageRole = "user" | "assistant" | "system" | "developer";

/** One item of `input`. Items this program does not look into are `JsonObject` with a `type`. */
export type InputItem =
  | { type: "message"; role: MessageRole; content: string | ContentPart[]; [key: string]: unknown }
  | { type: "function_call"; call_id: string; name: string; arguments: string; [key: string]: unknown }
  | { type: "function_call_output"; call_id: string; output: string | ContentPart[]; [key: string]: unknown }
  | { type: "custom_tool_call"; call_id: string; name: string; input: string; [key: string]: unknown }
  | { type: "custom_tool_call_output"; call_id: string; output: string | ContentPart[]; [key: string]: unknown }
  | { type: "reasoning"; summary: unknown[]; encrypted_content?: string | null; [key: string]: unknown }
  | OpaqueItem;

/** An item of a type that is only passed on (web_search_call, compaction, item_reference, additional_tools, …). */
export interface OpaqueItem {
  type:
    | `${string}${"_call" | "_reference" | "_tools" | "_output" | "_trigger" | "compaction" | "_request" | "_response" | "_search"}`
    | "compaction";
  [key: string]: unknown;
}

export type Tool =
  | {
      type: "function";
      name: string;
      description?: string | null;
      parameters?: JsonObject | null;
      strict?: boolean | null;
      [key: string]: unknown;
    }
  | { type: "custom"; name: string; description?: string; format?: JsonObject; [key: string]: unknown }
  | HostedTool;

/** A tool that upstream runs or knows by type: web_search, image_generation, namespace, tool_search, … */
export interface HostedTool {
  type:
    | "web_search"
    | "image_generation"
    | "namespace"
    | "tool_search"
    | "file_search"
    | "code_interpreter"
    | "mcp"
    | (string & {});
  [key: string]: unknown;
}

/** What a dialect hands on: one request in Responses terms and what the proxy must do about it itself. */
export interface CanonicalRequest {
  readonly body: ResponsesBody;
  /** Stop strings. No Responses backend knows them, so the proxy cuts the text itself (`canonical/limit.ts`). */
  readonly stop: readonly string[];
  /**
   * How many answers are wanted (Chat `n`); each is an upstream request of its own. 1 when absent.
   */
  readonly copies?: number;
  /** Client parameters that have no counterpart upstream, by the client's own name; reported, refused in strict mode. */
  readonly dropped: readonly string[];
  /** Responses field → the client's own name of it, where they differ (`max_output_tokens` → `max_tokens`). */
  readonly clientNames: Readonly<Record<string, string>>;
  /** Identity of the conversation, the base of `prompt_cache_key`; undefined when the client gave none. */
  readonly sessionKey?: string;
  /** The body is Codex's own shape and goes on as it is, with the client's Codex headers. */
  readonly native?: boolean;
}
