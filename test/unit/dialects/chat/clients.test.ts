import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { chatDialect } from "../../../../src/dialects/chat/index.ts";
import { isObject, type JsonObject } from "../../../../src/json.ts";

/** A request as a real client sent it; the recording stands in for what it cuts short with a string. */
function recorded(name: string): { body: JsonObject; header: (name: string) => string | undefined } {
  const file = JSON.parse(readFileSync(new URL(`../../../fixtures/clients/${name}.json`, import.meta.url), "utf8"));
  const body: JsonObject = file.body;
  if (Array.isArray(body.tools)) body.tools = body.tools.filter(isObject);
  return { body, header: (name) => file.headers[name] };
}

const toCanonical = (name: string) => {
  const { body, header } = recorded(name);
  return chatDialect.toCanonical(chatDialect.readRequest(body), header);
};

describe("recorded clients", () => {
  it.each(["agents-sdk-chat", "ai-sdk-chat-tools", "opencode-chat", "opencode-chat-title"])(
    "%s loses nothing",
    (name) => {
      expect(toCanonical(name).dropped).toEqual([]);
    },
  );

  it.each(["agents-sdk-chat", "ai-sdk-chat-tools"])("%s: a call and its output follow each other", (name) => {
    const types = toCanonical(name).body.input.map((item) => item.type);
    expect(types.slice(-2)).toEqual(["function_call", "function_call_output"]);
    expect(types.filter((type) => type === "message")).toHaveLength(name.startsWith("agents") ? 2 : 1);
  });

  it("OpenCode: the session header names the conversation, the limit keeps its name", () => {
    expect(toCanonical("opencode-chat")).toMatchObject({
      sessionKey: "ses_dfaecef50ffel2fcgVGTwuAJ8x",
      clientNames: { max_output_tokens: "max_tokens" },
      body: { max_output_tokens: 32000, tool_choice: "auto", reasoning: { effort: "medium", summary: "auto" } },
    });
  });

  it("Agents SDK: effort none asks for no summary, strict stays", () => {
    expect(toCanonical("agents-sdk-chat").body).toMatchObject({
      reasoning: { effort: "none" },
      text: { verbosity: "low" },
      tools: [{ name: "get_weather" }],
    });
    expect(toCanonical("agents-sdk-chat").body.reasoning).not.toHaveProperty("summary");
  });
});
