import type { CanonicalRequest, ResponsesBody } from "../../canonical/request.ts";
import { ProxyError } from "../../errors.ts";
import type { HeaderReader } from "../dialect.ts";
import { reportContextEdits, toReasoning, toServiceTier, toText } from "./controls.ts";
import { toInput } from "./history.ts";
import type { MessagesBody } from "./schema.ts";
import { sessionKeyOf } from "./session-key.ts";
import { offersWebSearch, toToolFields } from "./tools.ts";

/** Top-level parameters that are translated, served by the route, or have nothing to say upstream. */
const KNOWN = new Set([
  "model",
  "messages",
  "max_tokens",
  "system",
  "tools",
  "tool_choice",
  "thinking",
  "output_config",
  "output_format",
  "stop_sequences",
  "stream",
  "metadata",
  "thread",
  "temperature",
  "top_p",
  "service_tier",
  "speed",
  "context_management",
  // Upstream caches by itself.
  "cache_control",
  // The request controls of this proxy, common to its APIs.
  "reasoning",
  "reasoning_effort",
  "model_reasoning_effort",
  "text",
  "verbosity",
  "text_verbosity",
  "model_verbosity",
]);

/** Responses field → the Messages API's name of it. */
const CLIENT_NAMES = {
  max_output_tokens: "max_tokens",
  max_tool_calls: "tools.max_uses",
  parallel_tool_calls: "tool_choice.disable_parallel_tool_use",
};

/** A Messages request in Responses terms. */
export function toCanonical(body: MessagesBody, header: HeaderReader): CanonicalRequest {
  const dropped = new Set<string>();
  const report = (name: string) => void dropped.add(name);
  for (const [name, value] of Object.entries(body)) {
    if (!KNOWN.has(name) && value !== null && value !== undefined) report(name);
  }
  reportContextEdits(body, report);
  if (body.output_config?.task_budget) report("output_config.task_budget");
  const responses = toResponsesBody(body, report);
  if (responses.input.length === 0) {
    throw new ProxyError("invalid_request", "messages must not be empty", { param: "messages" });
  }
  const sessionKey = sessionKeyOf(body, header);
  return {
    body: responses,
    stop: body.stop_sequences ?? [],
    dropped: [...dropped],
    clientNames: CLIENT_NAMES,
    ...(sessionKey === undefined ? {} : { sessionKey }),
  };
}

function toResponsesBody(body: MessagesBody, report: (name: string) => void): ResponsesBody {
  const include = ["reasoning.encrypted_content"];
  if (offersWebSearch(body)) include.push("web_search_call.action.sources");
  const fields = {
    reasoning: toReasoning(body),
    text: toText(body, report),
    service_tier: toServiceTier(body),
    max_output_tokens: body.max_tokens,
    temperature: body.temperature,
    top_p: body.top_p,
  };
  return {
    model: body.model,
    input: toInput(body, report),
    ...toToolFields(body, report),
    ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)),
    include,
    store: false,
  };
}
