import { compareVersions, findModel, type Model } from "./catalogue.ts";
import { asArray, asString, isObject, type JsonObject } from "./json.ts";
import { detail, invalid, invalidType } from "./refusal.ts";
import { checkClassic } from "./rules-classic.ts";
import { checkItems } from "./rules-items.ts";
import { checkLite } from "./rules-lite.ts";
import {
  checkBoolean,
  checkCacheKey,
  checkInclude,
  checkReasoningControls,
  checkStringMap,
  checkTextControls,
} from "./rules-shared.ts";
import { checkToolChoice, checkTools } from "./rules-tools.ts";
import type { Caller } from "./tokens.ts";
import type { RecordedRequest, UpstreamOptions } from "./types.ts";

/** A request that passed: what the answer is made from. */
export interface Accepted {
  readonly body: JsonObject;
  readonly input: readonly JsonObject[];
  readonly model: Model;
  readonly lite: boolean;
  readonly platform: boolean;
  readonly tools: readonly JsonObject[];
  readonly binding: string;
}

/** The only top-level fields that the seat takes. */
const FIELDS = new Set([
  "model",
  "instructions",
  "input",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "reasoning",
  "store",
  "stream",
  "include",
  "prompt_cache_key",
  "text",
  "client_metadata",
  "service_tier",
  "stream_options",
]);
/** Of the others, upstream took `default` and `ultrafast` in some months and refused them in others. */
const TIERS = ["priority"];
const LITE_HEADER = "x-openai-internal-codex-responses-lite";

/**
 * Judges a body of POST /backend-api/codex/responses as the seat does: model, identity and lane, then one field after
 * another. Throws {@link Refusal} with upstream's words for the first fault.
 */
export function judgeSeat(
  request: RecordedRequest,
  caller: Caller,
  knownIds: ReadonlySet<string>,
  options: UpstreamOptions,
): Accepted {
  const body = readBody(request);
  const model = judgeModel(body.model);
  const lite = request.headers[LITE_HEADER] === "true";
  judgeIdentity(request, model, options);
  judgeLane(model, lite, options);
  const native = request.headers["x-codex-turn-metadata"] !== undefined;
  judgeTopLevel(body);
  const input = body.input;
  if (!Array.isArray(input)) throw detail("Input must be a list");
  if (lite) checkLite(body, input);
  else checkClassic(body, input, native);
  const tools = (lite ? toolsOfLite(input) : asArray(body.tools)).filter(isObject);
  if (body.tools !== undefined) checkTools(body.tools, "tools", { lite, platform: false });
  if (lite && tools.length > 0) checkTools(tools, "input[0].tools", { lite, platform: false });
  const callable = flatten(tools);
  checkToolChoice(body.tool_choice, callable, lite);
  checkReasoningControls(body.reasoning, model);
  checkTextControls(body.text, body);
  const namespaces = new Set(tools.filter((tool) => tool.type === "namespace").map((tool) => asString(tool.name)));
  checkItems(input, {
    lite,
    platform: false,
    native,
    binding: caller.binding,
    model: model.slug,
    knownIds,
    namespaces,
  });
  return {
    body,
    input: input.filter(isObject),
    model,
    lite,
    platform: false,
    tools: callable,
    binding: caller.binding,
  };
}

/** Tools as a model sees them: those inside a namespace count one by one. */
export function flatten(tools: readonly JsonObject[]): JsonObject[] {
  return tools.flatMap((tool) => (tool.type === "namespace" ? flatten(asArray(tool.tools).filter(isObject)) : [tool]));
}

function readBody(request: RecordedRequest): JsonObject {
  if (!/^application\/json\b/.test(request.headers["content-type"] ?? ""))
    throw detail("Unsupported content type", 415);
  if (!(request.headers.accept ?? "").includes("text/event-stream"))
    throw detail("Accept must include text/event-stream", 406);
  if (!isObject(request.json)) throw detail("Invalid JSON body");
  return request.json;
}

function judgeModel(slug: unknown): Model {
  if (typeof slug !== "string" || slug === "") throw detail("Model is required");
  const model = findModel(slug);
  if (model === undefined)
    throw detail(`The '${slug}' model is not supported when using Codex with a ChatGPT account.`);
  return model;
}

function judgeIdentity(request: RecordedRequest, model: Model, options: UpstreamOptions): void {
  const gate = options.identityGate ?? "luna";
  const originator = asString(request.headers.originator);
  const version = new RegExp(`^${originator.replace(/[^\w-]/g, "")}/(\\d+\\.\\d+\\.\\d+)\\b`).exec(
    asString(request.headers["user-agent"]),
  )?.[1];
  const codex = /^codex[_-]/.test(originator) && version !== undefined;
  if (!codex && (gate === "all" || (gate === "luna" && model.slug.includes("luna")))) throw modelNotFound(model.slug);
  if (
    version !== undefined &&
    model.minimalVersion !== undefined &&
    compareVersions(version, model.minimalVersion) < 0
  ) {
    throw detail(
      `The '${model.slug}' model requires a newer version of Codex. Please upgrade to the latest app or CLI and try again.`,
    );
  }
}

function judgeLane(model: Model, lite: boolean, options: UpstreamOptions): void {
  const liteOnly = options.liteOnlyModels ?? ["gpt-5.6-luna", "gpt-6-luna", "gpt-6.1-sol"];
  if (!lite && liteOnly.includes(model.slug)) throw modelNotFound(model.slug);
  if (lite && !model.lite)
    throw invalid(`The '${model.slug}' model does not support Responses Lite.`, "model", "unsupported_value");
}

function modelNotFound(slug: string) {
  return invalid(`Model not found ${slug}-free-1p-codexswic-ev3`, "model", "model_not_found", 404);
}

function judgeTopLevel(body: JsonObject): void {
  for (const field of Object.keys(body)) if (!FIELDS.has(field)) throw detail(`Unsupported parameter: ${field}`);
  if (body.store !== false) throw detail("Store must be set to false");
  if (body.stream !== true) throw detail("Stream must be set to true");
  if (body.service_tier !== undefined && !TIERS.includes(asString(body.service_tier)))
    throw detail(`Unsupported service_tier: ${String(body.service_tier)}`);
  if (isObject(body.stream_options)) {
    for (const field of Object.keys(body.stream_options))
      if (field !== "include_obfuscation") throw detail(`Unsupported parameter: stream_options.${field}`);
  } else if (body.stream_options !== undefined) throw invalidType("stream_options", "an object", body.stream_options);
  checkCacheKey(body.prompt_cache_key);
  checkInclude(body.include, ["reasoning.encrypted_content", "web_search_call.action.sources"]);
  checkStringMap(body.client_metadata, "client_metadata");
  checkBoolean(body.parallel_tool_calls, "parallel_tool_calls");
}

function toolsOfLite(input: readonly unknown[]): unknown[] {
  const [first] = input;
  return isObject(first) && first.type === "additional_tools" ? asArray(first.tools) : [];
}
