import OpenAI, { BadRequestError, NotFoundError } from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { checks, equal, includes, ok, PNG } from "./checks.mjs";

const client = new OpenAI({ baseURL: `${process.env.BASE_URL}/v1`, apiKey: "unused", maxRetries: 0 });
const model = process.env.MODEL;
const messages = (content) => [{ role: "user", content }];
const weather = {
  type: "function",
  function: {
    name: "get_weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    function: async ({ city }) => `sunny in ${city}`,
    parse: JSON.parse,
  },
};
const ask = '[[tool name=get_weather args={"city":"Bern"}]]';
const Title = z.object({ title: z.string() });

await checks({
  "chat whole": async () => {
    const { data, request_id } = await client.chat.completions
      .create({ model, messages: messages("hello") })
      .withResponse();
    includes(data.choices[0].message.content, "hello");
    ok(request_id, "no request id");
    equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens, "usage");
  },
  "chat stream helper": async () => {
    const stream = client.chat.completions.stream({
      model,
      messages: messages("hello"),
      stream_options: { include_usage: true },
    });
    let text = "";
    stream.on("content", (delta) => {
      text += delta;
    });
    const final = await stream.finalChatCompletion();
    equal(final.choices[0].message.content, text, "assembled text");
    equal(final.choices[0].finish_reason, "stop");
    ok(final.usage?.total_tokens > 0, "no usage");
  },
  "chat runTools": async () => {
    const runner = client.chat.completions.runTools({ model, messages: messages(ask), tools: [weather] });
    includes(await runner.finalContent(), "sunny in Bern");
  },
  "chat runTools streamed": async () => {
    const runner = client.chat.completions.runTools({ model, stream: true, messages: messages(ask), tools: [weather] });
    includes(await runner.finalContent(), "sunny in Bern");
  },
  "chat parse": async () => {
    const parsed = await client.chat.completions.parse({
      model,
      messages: messages("x"),
      response_format: zodResponseFormat(Title, "t"),
    });
    equal(typeof parsed.choices[0].message.parsed.title, "string");
  },
  "chat several tools of one turn": async () => {
    const both = `${ask} ${ask.replace("Bern", "Rome")}`;
    const runner = client.chat.completions.runTools({ model, messages: messages(both), tools: [weather] });
    const text = await runner.finalContent();
    includes(text, "sunny in Bern");
    includes(text, "sunny in Rome");
  },
  "chat image, n, stop, max_tokens": async () => {
    const image = { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } };
    const answer = await client.chat.completions.create({
      model,
      messages: messages([{ type: "text", text: "see" }, image]),
      n: 2,
    });
    equal(answer.choices.length, 2, "choices");
    includes(answer.choices[1].message.content, "IMAGE:image/png");
    const stopped = await client.chat.completions.create({ model, messages: messages("[[long 50]]"), stop: "w3" });
    equal(stopped.choices[0].message.content, "w0 w1 w2 ", "text before stop");
    const short = await client.chat.completions.create({
      model,
      messages: messages("[[long 50]]"),
      max_completion_tokens: 5,
    });
    equal(short.choices[0].finish_reason, "length");
  },
  "chat refusal": async () => {
    const answer = await client.chat.completions.create({ model, messages: messages("[[refuse]]") });
    ok(answer.choices[0].message.refusal, "no refusal");
  },
  "errors have their classes": async () => {
    const wrong = await client.chat.completions.create({ model, messages: [] }).catch((error) => error);
    ok(wrong instanceof BadRequestError && wrong.requestID, "no BadRequestError with id");
    const unknown = await client.chat.completions
      .create({ model: "gpt-none", messages: messages("x") })
      .catch((error) => error);
    ok(unknown instanceof NotFoundError && unknown.code === "model_not_found", `no NotFoundError: ${unknown}`);
  },
  "responses create": async () => {
    const response = await client.responses.create({ model, input: "hello" });
    includes(response.output_text, "hello");
  },
  "responses stream helper": async () => {
    const stream = client.responses.stream({ model, input: "hello" });
    let text = "";
    for await (const event of stream) if (event.type === "response.output_text.delta") text += event.delta;
    const final = await stream.finalResponse();
    equal(final.output_text, text, "assembled text");
  },
  "responses stream helper with a tool": async () => {
    const tools = [{ type: "function", name: "get_weather", parameters: weather.function.parameters, strict: false }];
    const stream = client.responses.stream({ model, input: ask, tools });
    let deltas = "";
    for await (const event of stream)
      if (event.type === "response.function_call_arguments.delta") deltas += event.delta;
    const call = (await stream.finalResponse()).output.find((item) => item.type === "function_call");
    equal(call.arguments, deltas, "assembled arguments");
    equal(JSON.parse(deltas), { city: "Bern" });
  },
  "responses web search": async () => {
    const settings = { model, input: "[[search pong]]", tools: [{ type: "web_search" }] };
    const { data, response } = await client.responses.create(settings).withResponse();
    // The lite lane has no hosted tools: the answer goes without, and its header says so.
    if (model !== "gpt-5.5") return includes(response.headers.get("x-codex-proxy-dropped"), "web_search");
    ok(
      data.output.some((item) => item.type === "web_search_call"),
      "no search",
    );
    equal(data.output.at(-1).content[0].annotations[0].type, "url_citation");
  },
  "responses parse": async () => {
    const parsed = await client.responses.parse({ model, input: "x", text: { format: zodTextFormat(Title, "t") } });
    equal(typeof parsed.output_parsed.title, "string");
  },
  "responses tools and previous_response_id": async () => {
    const tools = [{ type: "function", name: "get_weather", parameters: weather.function.parameters, strict: false }];
    const first = await client.responses.create({ model, input: ask, tools });
    const call = first.output.find((item) => item.type === "function_call");
    const output = { type: "function_call_output", call_id: call.call_id, output: "sunny" };
    const last = await client.responses.create({ model, previous_response_id: first.id, input: [output], tools });
    includes(last.output_text, "sunny");
    equal((await client.responses.retrieve(last.id)).id, last.id);
    ok((await client.responses.inputItems.list(last.id)).data.length >= 3, "input items");
    await client.responses.delete(last.id);
  },
  models: async () => {
    const ids = [];
    for await (const entry of client.models.list()) ids.push(entry.id);
    ok(ids.includes("gpt-6.1-sol"), `models are ${ids}`);
    equal((await client.models.retrieve("gpt-5.5")).id, "gpt-5.5");
  },
});
