import { isObject, type JsonObject } from "./json.ts";
import { invalid, missingParameter, unsupportedValue } from "./refusal.ts";

/**
 * The Responses Lite lane, entered by its header: no top-level tools or instructions, all turns' reasoning, calls one
 * after another, and the tools as the first input item. A missing `parallel_tool_calls` counts as true.
 */
export function checkLite(body: JsonObject, input: readonly unknown[]): void {
  const reasoning = isObject(body.reasoning) ? body.reasoning : {};
  if (reasoning.context !== "all_turns")
    throw unsupportedValue("Responses Lite requires `reasoning.context` to be `all_turns`.", "reasoning.context");
  if (body.parallel_tool_calls !== false)
    throw unsupportedValue("Responses Lite requires `parallel_tool_calls` to be false.", "parallel_tool_calls");
  if (body.tools !== undefined)
    throw unsupportedValue(
      "Responses Lite does not support top-level `tools`; use an `additional_tools` input item.",
      "tools",
    );
  if (body.instructions !== undefined && body.instructions !== null && body.instructions !== "") {
    throw unsupportedValue("Responses Lite does not support `instructions`; use a developer message.", "instructions");
  }
  for (const [index, item] of input.entries()) {
    if (!isObject(item) || item.type !== "additional_tools") continue;
    if (index > 0)
      throw invalid("`additional_tools` must be the first input item.", `input[${index}]`, "invalid_value");
    if (item.role !== "developer")
      throw invalid("`additional_tools` must have the role `developer`.", `input[${index}].role`, "invalid_value");
    if (!Array.isArray(item.tools)) throw missingParameter(`input[${index}].tools`);
  }
}
