import { Agent, OpenAIProvider, Runner, setTracingDisabled, tool } from "@openai/agents";
import { z } from "zod";
import { checks, includes } from "./checks.mjs";

setTracingDisabled(true);
const getWeather = tool({
  name: "get_weather",
  description: "weather",
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`,
});
const run = async (useResponses, stream) => {
  const modelProvider = new OpenAIProvider({ baseURL: `${process.env.BASE_URL}/v1`, apiKey: "unused", useResponses });
  const agent = new Agent({ name: "a", instructions: "Be kind.", model: process.env.MODEL, tools: [getWeather] });
  const result = await new Runner({ modelProvider }).run(agent, '[[tool name=get_weather args={"city":"Bern"}]]', {
    stream,
  });
  if (stream) await result.completed;
  includes(String(result.finalOutput), "sunny in Bern");
};

await checks({
  "responses whole": () => run(true, false),
  "responses streamed": () => run(true, true),
  "chat whole": () => run(false, false),
  "chat streamed": () => run(false, true),
});
