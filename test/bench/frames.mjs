/** The Responses stream of the benchmark as SSE frames, and the text that a client must have got from it. */

const ITEM = "msg_0b1c2d3e4f5061728394a5b6c7d8e9f0a1b2c3d4e5f60718";
const STAMP_DIGITS = 16;
const OPENING = 4;
const cache = new Map();

/** The one model that there is, as the ChatGPT backend and as OpenAI's API list it. */
export const CATALOGUE = {
  models: [
    {
      slug: "gpt-5.5",
      display_name: "GPT-5.5",
      visibility: "list",
      supported_in_api: true,
      default_reasoning_level: "medium",
      supported_reasoning_levels: ["low", "medium", "high"].map((effort) => ({ effort, description: effort })),
      context_window: 4_000_000,
      priority: 1,
    },
  ],
};
export const MODELS = {
  object: "list",
  data: CATALOGUE.models.map(({ slug }) => ({ id: slug, object: "model", created: 0, owned_by: "openai" })),
};

/** Frames of an answer of so many deltas; `deltasFrom` is the index of the first delta. */
export function framesOf(deltas) {
  const known = cache.get(deltas);
  if (known) return known;
  const text = textOf(deltas);
  const part = { type: "output_text", text, annotations: [], logprobs: [] };
  const item = { id: ITEM, type: "message", role: "assistant", status: "completed", content: [part] };
  const place = { item_id: ITEM, output_index: 0, content_index: 0 };
  const response = { id: "resp_0f1e2d3c4b5a69788796a5b4c3d2e1f0", object: "response", created_at: 1, model: "gpt-5.5" };
  const running = { ...response, status: "in_progress", output: [] };
  const usage = {
    input_tokens: 100,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: deltas,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 100 + deltas,
  };
  const opening = [
    { type: "response.created", response: running },
    { type: "response.in_progress", response: running },
    { type: "response.output_item.added", output_index: 0, item: { ...item, status: "in_progress", content: [] } },
    { type: "response.content_part.added", ...place, part: { ...part, text: "" } },
  ];
  const closing = [
    { type: "response.output_text.done", ...place, text, logprobs: [] },
    { type: "response.content_part.done", ...place, part },
    { type: "response.output_item.done", output_index: 0, item },
    { type: "response.completed", response: { ...response, status: "completed", output: [item], usage } },
  ];
  const frames = [
    ...opening.map(toFrame),
    ...Array.from({ length: deltas }, (_, index) => Buffer.from(deltaFrame(index + OPENING, token(index)))),
    ...closing.map((event, index) => toFrame(event, OPENING + deltas + index)),
  ];
  const built = Object.assign(frames, { deltasFrom: OPENING });
  cache.set(deltas, built);
  return built;
}

/** What an upstream in another language needs to answer with so many deltas each. */
export function framesFor(counts) {
  const answers = counts.map((deltas) => {
    const frames = framesOf(deltas).map(String);
    const [from, to] = [OPENING, OPENING + deltas];
    return [deltas, { opening: frames.slice(0, from), deltas: frames.slice(from, to), closing: frames.slice(to) }];
  });
  const stamped = deltaFrame("#", "#").split(/#/);
  return {
    answers: Object.fromEntries(answers),
    stamped,
    catalogue: JSON.stringify(CATALOGUE),
    models: JSON.stringify(MODELS),
  };
}

/** A delta whose text is the monotonic clock in microseconds: `t0000001234567890 `. */
export function stampedFrame(index, nanoseconds) {
  return deltaFrame(index + OPENING, `t${String(nanoseconds / 1000n).padStart(STAMP_DIGITS, "0")} `);
}

/** Stamps in a piece of a stream, whatever grammar it is in. */
export const STAMP = new RegExp(`t(\\d{${STAMP_DIGITS}}) `, "g");

/** The whole text of an answer of so many deltas. */
export function textOf(deltas) {
  return Array.from({ length: deltas }, (_, index) => token(index)).join("");
}

/** The length of a stamped answer, whose text depends on the time. */
export function stampedLength(deltas) {
  return deltas * (STAMP_DIGITS + 2);
}

/** No blank at the end: some programs trim a whole answer. */
function token(index) {
  return `token${index}.`;
}

function toFrame({ type, ...rest }, sequence_number) {
  return Buffer.from(`event: ${type}\ndata: ${JSON.stringify({ type, sequence_number, ...rest })}\n\n`);
}

function deltaFrame(index, delta) {
  return (
    `event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":${index},` +
    `"item_id":"${ITEM}","output_index":0,"content_index":0,"delta":"${delta}","logprobs":[],"obfuscation":"aB3dE5fG7h"}\n\n`
  );
}
