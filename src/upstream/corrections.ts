import type { ProxyError } from "../errors.ts";
import { isObject, type JsonObject } from "../json.ts";
import { LITE_HEADER } from "./target.ts";

/** Without these there is no request, so upstream's refusal of them is the answer. */
const VITAL = new Set(["model", "input", "stream", "store", "instructions", "tools"]);
/** Fields whose refused value may be left out, for upstream's own default. */
const OPTIONAL_VALUES =
  /^(?:reasoning(?:\.\w+)?|text\.verbosity|service_tier|tool_choice|parallel_tool_calls|include(?:\[\d+\])?|prompt_cache_\w+|truncation)$/;

const NAMED =
  /^(?:Unsupported|Unknown|Unrecognized)(?: request)? (?:parameter|argument)s?(?: supplied)?:? ?['"`]?([\w[\]-]+(?:\.[\w[\]-]+)*)/i;
const PARAMETER_CODES: ReadonlySet<string | undefined> = new Set(["unsupported_parameter", "unknown_parameter"]);

/**
 * The field that upstream's 400 asks to be left out: "Unsupported parameter: temperature", "Unknown parameter:
 * 'input[3].namespace'", "Unsupported value: 'minimal' is not supported …" with `param`. Undefined when it is none.
 */
export function refusedParameter(failure: ProxyError): string | undefined {
  if (failure.details.upstream_status !== 400) return undefined;
  const { message, code } = failure;
  const named = NAMED.exec(message)?.[1];
  if (named !== undefined) return vital(named) ? undefined : named;
  const tier = /^Unsupported service_tier\b/i.test(message) ? "service_tier" : undefined;
  if (tier) return tier;
  const refused = PARAMETER_CODES.has(code)
    ? failure.param
    : code === "unsupported_value" ||
        /^Unsupported value/i.test(message) ||
        /is not supported with this model/i.test(message)
      ? OPTIONAL_VALUES.exec(failure.param ?? "")?.[0]
      : undefined;
  return refused === undefined || vital(refused) ? undefined : refused;
}

/** True when upstream refuses the field itself rather than its value in this request. */
export function isFieldRefusal(failure: ProxyError, path: string): boolean {
  // An element of a list is another one in the next request.
  return !path.endsWith("]") && (NAMED.test(failure.message) || PARAMETER_CODES.has(failure.code));
}

/** True when upstream refuses the value of `tool_choice`: the lite lane may take `auto` only. */
export function isChoiceRefusal(failure: ProxyError): boolean {
  if (failure.details.upstream_status !== 400) return false;
  return failure.param === "tool_choice" || /\btool_choice\b/.test(failure.message);
}

function vital(path: string): boolean {
  return VITAL.has(path);
}

/**
 * The body without the field at a path such as `reasoning.context` or `input[3].namespace`; a field of one list element
 * goes from all of them, so that one repeat suffices. The same object when there is no such field.
 */
export function withoutField<T extends JsonObject>(body: T, path: string): T {
  const steps = path.split(/[.[\]]+/).filter((step) => step !== "");
  const changed = removeAt(body, steps);
  return (isObject(changed) ? changed : body) as T;
}

function removeAt(value: unknown, steps: readonly string[]): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  if (Array.isArray(value)) {
    if (rest.length === 0) return value.filter((_, at) => String(at) !== step);
    const mapped = value.map((each) => removeAt(each, rest));
    return mapped.some((each, at) => each !== value[at]) ? mapped : value;
  }
  if (!isObject(value) || !Object.hasOwn(value, step)) return value;
  const copy: JsonObject = { ...value };
  if (rest.length === 0) delete copy[step];
  else {
    const inner = removeAt(value[step], rest);
    if (inner === value[step]) return value;
    copy[step] = inner;
  }
  return copy;
}

/** True when upstream cannot open a sealed reasoning item: it comes from another account or model. */
export function isSealRefusal(failure: ProxyError): boolean {
  return (
    failure.details.upstream_status === 400 &&
    (failure.code === "invalid_encrypted_content" ||
      /encrypted content .*could not be (?:verified|decrypted)/i.test(failure.message))
  );
}

/** The body without its reasoning items; the same object when it has none. */
export function withoutReasoning<T extends JsonObject>(body: T): T {
  const { input } = body;
  if (!Array.isArray(input)) return body;
  const rest = input.filter((item) => !isObject(item) || item.type !== "reasoning");
  return rest.length === input.length ? body : { ...body, input: rest };
}

/** True for a body that a Codex client has put into the lite lane by itself. */
export function isNativeLite(header: (name: string) => string | undefined): boolean {
  return header(LITE_HEADER) === "true";
}
