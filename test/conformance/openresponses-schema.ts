import { Ajv } from "ajv";

/**
 * What the Open Responses specification (https://www.openresponses.org/reference, version 2026-04-24) requires of the
 * answers of a compliant server: each object's required fields with their types. Fields beyond these are free, but where
 * the specification gives an optional field a type, null is none.
 */
type Schema = object;

const text = { type: "string" };
const integer = { type: "integer" };
const number = { type: "number" };
const boolean = { type: "boolean" };
const oneOf = (...values: string[]): Schema => ({ enum: values });
const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: "null" }] });
const list = (items: Schema): Schema => ({ type: "array", items });
const object = (required: Record<string, Schema>, optional: Record<string, Schema> = {}): Schema => ({
  type: "object",
  properties: { ...required, ...optional },
  required: Object.keys(required),
});
/** One of the schemas by the value of `type`. */
const byType = (branches: Record<string, Schema>): Schema => ({
  type: "object",
  required: ["type"],
  discriminator: { propertyName: "type" },
  oneOf: Object.entries(branches).map(([type, schema]) => ({
    ...schema,
    properties: { ...(schema as { properties?: object }).properties, type: { const: type } },
  })),
});

const logprob = object({ token: text, logprob: number, bytes: list(integer), top_logprobs: list(object({})) });
const citation = { url_citation: object({ url: text, start_index: integer, end_index: integer, title: text }) };
const part = byType({
  input_text: object({ text }),
  output_text: object({ text, annotations: list(byType(citation)) }, { logprobs: list(logprob) }),
  text: object({ text }),
  summary_text: object({ text }),
  reasoning_text: object({ text }),
  refusal: object({ refusal: text }),
  input_image: object({ image_url: orNull(text), detail: oneOf("low", "high", "auto") }),
  input_file: object({}, { filename: text, file_url: text }),
});
const status = oneOf("in_progress", "completed", "incomplete");
const item = byType({
  message: object(
    { id: text, status, role: oneOf("user", "assistant", "system", "developer"), content: list(part) },
    { phase: oneOf("commentary", "final_answer") },
  ),
  function_call: object({ id: text, call_id: text, name: text, arguments: text, status }),
  function_call_output: object({ id: text, call_id: text, output: {}, status }),
  reasoning: object({ id: text, summary: list(part) }, { content: list(part), encrypted_content: text }),
  compaction: object({ id: text, encrypted_content: text }),
  web_search_call: object({ id: text, status: text, action: object({ type: text }) }),
});

const tool = byType({
  function: object({
    name: text,
    description: orNull(text),
    parameters: orNull(object({})),
    strict: orNull(boolean),
  }),
  web_search: object({}),
});
const usage = object({
  input_tokens: integer,
  output_tokens: integer,
  total_tokens: integer,
  input_tokens_details: object({ cached_tokens: integer }),
  output_tokens_details: object({ reasoning_tokens: integer }),
});
const format = byType({
  text: object({}),
  json_object: object({}),
  json_schema: object({ name: text, description: orNull(text), strict: boolean }),
});

const response = object({
  id: text,
  object: oneOf("response"),
  created_at: integer,
  completed_at: orNull(integer),
  status: text,
  incomplete_details: orNull(object({ reason: text })),
  model: text,
  previous_response_id: orNull(text),
  instructions: orNull(text),
  output: list(item),
  error: orNull(object({ code: text, message: text })),
  tools: list(tool),
  tool_choice: { anyOf: [oneOf("none", "auto", "required"), object({ type: text })] },
  truncation: oneOf("auto", "disabled"),
  parallel_tool_calls: boolean,
  text: object({ format }, { verbosity: oneOf("low", "medium", "high") }),
  top_p: number,
  presence_penalty: number,
  frequency_penalty: number,
  top_logprobs: integer,
  temperature: number,
  reasoning: orNull(
    object({
      effort: orNull(oneOf("none", "minimal", "low", "medium", "high", "xhigh")),
      summary: orNull(oneOf("concise", "detailed", "auto")),
    }),
  ),
  usage: orNull(usage),
  max_output_tokens: orNull(integer),
  max_tool_calls: orNull(integer),
  store: boolean,
  background: boolean,
  service_tier: text,
  metadata: {},
  safety_identifier: orNull(text),
  prompt_cache_key: orNull(text),
});

const numbered = (required: Record<string, Schema>): Schema => object({ sequence_number: integer, ...required });
const inItem = (required: Record<string, Schema>): Schema =>
  numbered({ item_id: text, output_index: integer, ...required });
const inContent = (required: Record<string, Schema>): Schema => inItem({ content_index: integer, ...required });
const inSummary = (required: Record<string, Schema>): Schema => inItem({ summary_index: integer, ...required });
const inSearch = inItem({});

const event = byType({
  "response.created": numbered({ response }),
  "response.queued": numbered({ response }),
  "response.in_progress": numbered({ response }),
  "response.completed": numbered({ response }),
  "response.failed": numbered({ response }),
  "response.incomplete": numbered({ response }),
  "response.output_item.added": numbered({ output_index: integer, item: orNull(item) }),
  "response.output_item.done": numbered({ output_index: integer, item: orNull(item) }),
  "response.content_part.added": inContent({ part }),
  "response.content_part.done": inContent({ part }),
  "response.output_text.delta": inContent({ delta: text }),
  "response.output_text.done": inContent({ text }),
  "response.output_text.annotation.added": inContent({
    annotation_index: integer,
    annotation: orNull(byType(citation)),
  }),
  "response.refusal.delta": inContent({ delta: text }),
  "response.refusal.done": inContent({ refusal: text }),
  "response.reasoning_text.delta": inContent({ delta: text }),
  "response.reasoning_text.done": inContent({ text }),
  "response.reasoning_summary_part.added": inSummary({ part }),
  "response.reasoning_summary_part.done": inSummary({ part }),
  "response.reasoning_summary_text.delta": inSummary({ delta: text }),
  "response.reasoning_summary_text.done": inSummary({ text }),
  "response.function_call_arguments.delta": inItem({ delta: text }),
  "response.function_call_arguments.done": inItem({ arguments: text }),
  "response.web_search_call.in_progress": inSearch,
  "response.web_search_call.searching": inSearch,
  "response.web_search_call.completed": inSearch,
  error: numbered({ error: object({ type: text, code: orNull(text), message: text, param: orNull(text) }) }),
});

const compaction = object({
  id: text,
  object: oneOf("response.compaction"),
  output: list(item),
  created_at: integer,
  usage,
});

const ajv = new Ajv({ allErrors: true, discriminator: true, strict: false });
const compiled = { response: ajv.compile(response), event: ajv.compile(event), compaction: ajv.compile(compaction) };

/** What breaks the specification; empty when the value is compliant. */
export function nonCompliance(kind: keyof typeof compiled, value: unknown): string[] {
  const validate = compiled[kind];
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
