import type { ResponsesBody, Tool } from "../../canonical/request.ts";
import { ProxyError } from "../../errors.ts";
import { isObject, type JsonObject } from "../../json.ts";
import { clientTool } from "./client-tools.ts";
import type { Report } from "./content.ts";
import { fitsStrict, toParameters } from "./input-schema.ts";
import type { Message, MessagesBody, ToolParam } from "./schema.ts";

const WEB_SEARCH = /^web_search_\d{8}$/;

type ToolFields = Pick<ResponsesBody, "tools" | "tool_choice" | "parallel_tool_calls"> & { max_tool_calls?: number };

/**
 * The request's tools in Responses terms. Tools that the client runs become functions, web search the hosted one; those
 * that only Anthropic's servers can run are reported.
 * @throws ProxyError `invalid_request` when `tool_choice` names a tool that is not offered.
 */
export function toToolFields(body: MessagesBody, report: Report): ToolFields {
  const offered = withoutRepeats([...(body.tools ?? []), ...addedTools(body.messages)]);
  const tools = offered.flatMap((tool) => toTool(tool, report));
  if (tools.length === 0) return {};
  const fields: ToolFields = { tools };
  const limit = offered.map((tool) => (isWebSearch(tool) ? tool.max_uses : undefined)).find((uses) => uses);
  if (typeof limit === "number") fields.max_tool_calls = limit;
  const choice = toToolChoice(body, offered, tools);
  if (choice !== undefined) fields.tool_choice = choice;
  if (body.tool_choice?.disable_parallel_tool_use === true) fields.parallel_tool_calls = false;
  return fields;
}

/** True when the request offers web search. */
export function offersWebSearch(body: MessagesBody): boolean {
  return (body.tools ?? []).some(isWebSearch);
}

function isWebSearch(tool: ToolParam): boolean {
  return typeof tool.type === "string" && WEB_SEARCH.test(tool.type);
}

/** Tools that a system message brings in later, with their definition. */
function addedTools(messages: readonly Message[]): ToolParam[] {
  return messages.flatMap(({ role, content }) => {
    if (role !== "system" || !Array.isArray(content)) return [];
    return content.flatMap((block: JsonObject | object) => {
      const tool = "tool" in block && isObject(block.tool) ? block.tool : {};
      return tool.type === "tool_definition" && isObject(tool.definition) ? [tool.definition as ToolParam] : [];
    });
  });
}

/** Upstream refuses two tools of one name; a later definition replaces an earlier one. */
function withoutRepeats(tools: readonly ToolParam[]): ToolParam[] {
  return [...new Map(tools.map((tool) => [tool.name ?? tool, tool])).values()];
}

function toTool(tool: ToolParam, report: Report): Tool[] {
  const type = tool.type ?? "custom";
  if (isWebSearch(tool)) return [webSearch(tool, report)];
  const known = clientTool(type, tool);
  if (known) return [functionTool({ ...tool, description: known.description, input_schema: known.parameters }, report)];
  if ((type === "custom" || isObject(tool.input_schema)) && tool.name !== undefined)
    return [functionTool(tool, report)];
  report(`tools.${type}`);
  return [];
}

function functionTool(tool: ToolParam, report: Report): Tool {
  const parameters = toParameters(tool.input_schema);
  const strict = tool.strict === true && fitsStrict(parameters);
  if (tool.strict === true && !strict) report("tools.strict");
  const description = [tool.description, examples(tool.input_examples)].filter(Boolean).join("\n\n");
  return {
    type: "function",
    name: tool.name ?? "",
    ...(description === "" ? {} : { description }),
    parameters,
    strict,
  };
}

function examples(inputs: unknown): string {
  if (!Array.isArray(inputs) || inputs.length === 0) return "";
  return `Examples of input:\n${inputs.map((input) => JSON.stringify(input)).join("\n")}`;
}

function webSearch(tool: ToolParam, report: Report): Tool {
  if (Array.isArray(tool.blocked_domains) && tool.blocked_domains.length > 0) report("tools.blocked_domains");
  const hosted: Tool = { type: "web_search" };
  if (Array.isArray(tool.allowed_domains) && tool.allowed_domains.length > 0) {
    hosted.filters = { allowed_domains: tool.allowed_domains };
  }
  if (isObject(tool.user_location)) hosted.user_location = tool.user_location;
  return hosted;
}

function toToolChoice(body: MessagesBody, offered: readonly ToolParam[], tools: readonly Tool[]): unknown {
  const choice = body.tool_choice;
  switch (choice?.type) {
    case "any":
      return "required";
    case "auto":
    case "none":
      return choice.type;
    case "tool": {
      const wanted = offered.find((tool) => tool.name === choice.name);
      if (!wanted) {
        throw new ProxyError("invalid_request", `tool_choice.name: no tool named ${choice.name ?? ""} in tools`, {
          param: "tool_choice.name",
        });
      }
      if (isWebSearch(wanted)) return { type: "web_search" };
      // A forced tool that had to be left out is in the report already.
      return tools.some((tool) => tool.name === choice.name) ? { type: "function", name: choice.name } : "auto";
    }
    default:
      return undefined;
  }
}
