import { ProxyError } from "../../errors.ts";
import { isObject, type JsonObject } from "../../json.ts";

/**
 * A body of `POST /v1/responses` (https://platform.openai.com/docs/api-reference/responses/create).
 * Only what the translation reads is typed; everything else stays in place.
 */
export interface ResponsesClientBody extends JsonObject {
  model: string;
  input: string | JsonObject[];
  instructions?: string | null;
  tools?: JsonObject[] | null;
  tool_choice?: unknown;
  previous_response_id?: string | null;
  store?: boolean | null;
  stream?: boolean | null;
  include?: string[] | null;
  reasoning?: JsonObject | null;
  text?: JsonObject | null;
}

const ROLES = new Set(["user", "assistant", "system", "developer"]);

/**
 * Checks the shape of what the translation reads.
 * @throws ProxyError `invalid_request` that names the parameter by its path.
 */
export function readRequest(json: unknown): ResponsesClientBody {
  if (!isObject(json)) throw new ProxyError("invalid_request", "request body must be a JSON object");
  if (typeof json.model !== "string" || json.model === "") throw missing("model", "model is required");
  optional(json, "stream", "boolean");
  optional(json, "store", "boolean");
  optional(json, "instructions", "string");
  optional(json, "previous_response_id", "string");
  optionalObject(json, "reasoning");
  optionalObject(json, "text");
  refuseBackground(json.background);
  checkList(json, "include", (entry) => typeof entry === "string", "a string");
  checkList(json, "tools", (tool) => isObject(tool) && typeof tool.type === "string", "an object with a `type`");
  json.input ??= mayLackInput(json) ? [] : undefined;
  checkInput(json.input);
  return json as ResponsesClientBody;
}

function checkInput(input: unknown): void {
  if (input === undefined) throw missing("input", "input is required");
  if (typeof input === "string") return;
  if (!Array.isArray(input)) throw wrong("input", "a string or an array of items");
  for (const [index, item] of input.entries()) checkItem(item, `input[${index}]`);
}

function checkItem(item: unknown, path: string): void {
  if (!isObject(item)) throw wrong(path, "an object");
  const type = item.type ?? (item.role === undefined && typeof item.id === "string" ? "item_reference" : "message");
  if (typeof type !== "string") throw wrong(`${path}.type`, "a string");
  if (type !== "message") return;
  if (typeof item.role !== "string" || !ROLES.has(item.role)) {
    throw wrong(`${path}.role`, "one of user, assistant, system and developer");
  }
  const { content } = item;
  if (typeof content === "string" || (content === null && item.role === "assistant")) return;
  if (!Array.isArray(content)) throw wrong(`${path}.content`, "a string or an array of parts");
  const bad = content.findIndex((part) => !isObject(part) || typeof part.type !== "string");
  if (bad >= 0) throw wrong(`${path}.content[${bad}]`, "an object with a `type`");
}

/** A stored prompt or an earlier response can be the whole input. */
function mayLackInput(json: JsonObject): boolean {
  return typeof json.previous_response_id === "string" || isObject(json.prompt);
}

function refuseBackground(background: unknown): void {
  if (background !== true) return;
  throw new ProxyError(
    "invalid_request",
    "background responses are not supported by this server: upstream has no background mode; leave out `background` and stream the answer instead",
    { param: "background", code: "unsupported_parameter" },
  );
}

function optional(json: JsonObject, name: string, type: "boolean" | "string"): void {
  const value = json[name];
  if (value !== undefined && value !== null && typeof value !== type) throw wrong(name, `a ${type}`);
}

function optionalObject(json: JsonObject, name: string): void {
  const value = json[name];
  if (value !== undefined && value !== null && !isObject(value)) throw wrong(name, "an object");
}

function checkList(json: JsonObject, name: string, accepts: (entry: unknown) => boolean, expected: string): void {
  const list = json[name];
  if (list === undefined || list === null) return;
  if (!Array.isArray(list)) throw wrong(name, "an array");
  const bad = list.findIndex((entry) => !accepts(entry));
  if (bad >= 0) throw wrong(`${name}[${bad}]`, expected);
}

function missing(param: string, message: string): ProxyError {
  return new ProxyError("invalid_request", message, { param, code: "missing_required_parameter" });
}

function wrong(param: string, expected: string): ProxyError {
  return new ProxyError("invalid_request", `invalid type for '${param}': expected ${expected}`, {
    param,
    code: "invalid_type",
  });
}
