import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { classicBody, LITE, liteBody, postSeat } from "./helpers.ts";
import { DEFAULT_API_KEY, startUpstream, type Upstream } from "./index.ts";
import type { JsonObject } from "./json.ts";

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());

const keys = fc.constantFrom(
  "type",
  "role",
  "content",
  "call_id",
  "name",
  "arguments",
  "output",
  "id",
  "tools",
  "parameters",
  "properties",
  "text",
  "image_url",
  "summary",
  "encrypted_content",
  "status",
  "format",
  "schema",
  "effort",
  "context",
  "mode",
  "$ref",
  "items",
);
const words = fc.constantFrom(
  "message",
  "function_call",
  "function_call_output",
  "reasoning",
  "user",
  "assistant",
  "function",
  "custom",
  "namespace",
  "web_search",
  "object",
  "array",
  "json_schema",
  "input_text",
  "input_image",
  "additional_tools",
  "allowed_tools",
  "#/x",
  "constructor",
  "[[tool name=f]]",
);
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    words,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("any"), { maxLength: 3 }),
    fc.dictionary(keys, tie("any"), { maxKeys: 5 }),
  ),
})).any;
const fields = fc.dictionary(
  fc.constantFrom(
    "input",
    "tools",
    "tool_choice",
    "reasoning",
    "text",
    "include",
    "instructions",
    "client_metadata",
    "stream_options",
  ),
  value,
  { maxKeys: 3 },
);

test("no body makes the double itself fail: it answers 200 or refuses in upstream's words", async () => {
  await fc.assert(
    fc.asyncProperty(fields, fc.boolean(), async (extra, lite) => {
      const body = lite ? liteBody(extra as JsonObject) : classicBody(extra as JsonObject);
      const response = await postSeat(upstream, body, lite ? LITE : {});
      const text = await response.text();
      expect([200, 400, 404], text).toContain(response.status);
      const headers = { authorization: `Bearer ${DEFAULT_API_KEY}`, "content-type": "application/json" };
      const payload = JSON.stringify({ model: "gpt-5.5", input: "hi", ...(extra as JsonObject) });
      const platform = await fetch(`${upstream.openaiBaseUrl}/responses`, { method: "POST", headers, body: payload });
      expect([200, 400, 404], await platform.text()).toContain(platform.status);
    }),
    { numRuns: 300 },
  );
}, 30_000);
