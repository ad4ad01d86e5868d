import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateObject, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { checks, equal, includes } from "./checks.mjs";

const baseURL = `${process.env.BASE_URL}/v1`;
const name = process.env.MODEL;
const openai = createOpenAI({ baseURL, apiKey: "unused" });
const providers = {
  responses: openai(name),
  chat: openai.chat(name),
  compatible: createOpenAICompatible({ name: "proxy", baseURL, apiKey: "unused", supportsStructuredOutputs: true })(
    name,
  ),
  anthropic: createAnthropic({ baseURL, apiKey: "unused" })(name),
};
const tools = {
  get_weather: tool({ inputSchema: z.object({ city: z.string() }), execute: async ({ city }) => `sunny in ${city}` }),
};
const prompt = '[[tool name=get_weather args={"city":"Bern"}]]';

const all = {};
for (const [kind, model] of Object.entries(providers)) {
  all[`${kind}: generateText with a tool`] = async () => {
    const { text, steps } = await generateText({ model, prompt, tools, stopWhen: stepCountIs(4), maxRetries: 0 });
    includes(text, "sunny in Bern");
    equal(steps.length, 2, "steps");
  };
  all[`${kind}: streamText with a tool`] = async () => {
    const result = streamText({
      model,
      prompt,
      tools,
      stopWhen: stepCountIs(4),
      maxRetries: 0,
      onError: ({ error }) => {
        throw error;
      },
    });
    includes(await result.text, "sunny in Bern");
    equal(await result.finishReason, "stop");
  };
  all[`${kind}: generateObject`] = async () => {
    const schema = z.object({ title: z.string() });
    const asked = generateObject({ model, prompt: "a title", schema, maxRetries: 0 });
    equal(Object.keys((await asked).object), ["title"]);
  };
}
await checks(all);
