import { asString, isObject, type JsonObject } from "./json.ts";
import { detail } from "./refusal.ts";

/**
 * The classic lane: `instructions` is a non-empty string. The Codex CLI itself sends its instructions as a leading
 * developer message instead, so a request with the CLI's own metadata may leave the field out.
 */
export function checkClassic(body: JsonObject, input: readonly unknown[], native: boolean): void {
  const { instructions } = body;
  if (native && instructions === undefined && startsWithDeveloper(input)) return;
  if (asString(instructions).trim() === "") throw detail("Instructions are required");
}

function startsWithDeveloper(input: readonly unknown[]): boolean {
  const [first] = input;
  return isObject(first) && first.role === "developer";
}
