import Anthropic, { BadRequestError, NotFoundError } from "@anthropic-ai/sdk";
import { betaZodTool } from "@anthropic-ai/sdk/helpers/beta/zod";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { z } from "zod";
import { checks, equal, includes, ok, PNG } from "./checks.mjs";

const client = new Anthropic({ baseURL: process.env.BASE_URL, apiKey: "unused", maxRetries: 0 });
const model = process.env.MODEL;
const user = (content) => [{ role: "user", content }];
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const weather = { name: "get_weather", description: "weather", input_schema: schema };
const runnable = betaZodTool({
  name: "get_weather",
  description: "weather",
  inputSchema: z.object({ city: z.string() }),
  run: ({ city }) => `sunny in ${city}`,
});
const ask = '[[tool name=get_weather args={"city":"Bern"}]]';
const textOf = (message) => message.content.map((block) => (block.type === "text" ? block.text : "")).join("");

await checks({
  "messages whole": async () => {
    const { data, request_id } = await client.messages
      .create({ model, max_tokens: 500, messages: user("hello") })
      .withResponse();
    includes(textOf(data), "hello");
    equal(data.stop_reason, "end_turn");
    ok(request_id, "no request id");
  },
  "stream helper": async () => {
    const stream = client.messages.stream({
      model,
      max_tokens: 500,
      messages: user("hello"),
      thinking: { type: "adaptive" },
    });
    let text = "";
    stream.on("text", (delta) => {
      text += delta;
    });
    const final = await stream.finalMessage();
    equal(textOf(final), text, "assembled text");
    ok(final.usage.output_tokens > 0, "no usage");
  },
  "tool runner with message threads": async () => {
    const runner = client.beta.messages.toolRunner({ model, max_tokens: 500, messages: user(ask), tools: [runnable] });
    includes(textOf(await runner), "sunny in Bern");
  },
  "tool runner streamed": async () => {
    const settings = { model, max_tokens: 500, messages: user(ask), tools: [runnable], stream: true };
    const texts = [];
    for await (const stream of client.beta.messages.toolRunner(settings))
      texts.push(textOf(await stream.finalMessage()));
    equal(texts.length, 2, "turns");
    includes(texts[1], "sunny in Bern");
  },
  "thinking goes round with its signature": async () => {
    const thinking = { type: "adaptive" };
    const first = await client.messages.create({
      model,
      max_tokens: 900,
      thinking,
      messages: user(`[[reason]] ${ask}`),
      tools: [weather],
    });
    ok(
      first.content.some((block) => block.type === "thinking" && block.signature),
      "no thinking",
    );
    const use = first.content.find((block) => block.type === "tool_use");
    const result = user([{ type: "tool_result", tool_use_id: use.id, content: "sunny" }]);
    const history = [...user(`[[reason]] ${ask}`), { role: "assistant", content: first.content }, ...result];
    const last = await client.messages.create({
      model,
      max_tokens: 900,
      thinking,
      messages: history,
      tools: [weather],
    });
    includes(textOf(last), "sunny");
  },
  parse: async () => {
    const format = zodOutputFormat(z.object({ title: z.string() }));
    const answer = await client.messages.parse({
      model,
      max_tokens: 500,
      messages: user("x"),
      output_config: { format },
    });
    equal(typeof answer.parsed_output?.title, "string");
  },
  "web search": async () => {
    const tools = [{ type: "web_search_20250305", name: "web_search", max_uses: 3 }];
    const messages = user("Perform a web search for the query: pong");
    const { data, response } = await client.messages.create({ model, max_tokens: 900, messages, tools }).withResponse();
    // The lite lane has no hosted tools: the answer goes without, and its header says so.
    if (model !== "gpt-5.5") return includes(response.headers.get("x-codex-proxy-dropped"), "web_search");
    equal(
      data.content.map((block) => block.type).filter((type) => type !== "thinking"),
      ["server_tool_use", "web_search_tool_result", "text"],
    );
    equal(data.usage.server_tool_use.web_search_requests, 1, "searches");
  },
  "several tools of one turn": async () => {
    const both = `${ask} ${ask.replace("Bern", "Rome")}`;
    const runner = client.beta.messages.toolRunner({ model, max_tokens: 500, messages: user(both), tools: [runnable] });
    const text = textOf(await runner);
    includes(text, "sunny in Bern");
    includes(text, "sunny in Rome");
  },
  "image and document": async () => {
    const image = { type: "image", source: { type: "base64", media_type: "image/png", data: PNG } };
    const pdf = {
      type: "document",
      source: { type: "base64", media_type: "application/pdf", data: Buffer.from("%PDF-1.4").toString("base64") },
    };
    const answer = await client.messages.create({
      model,
      max_tokens: 500,
      messages: user([{ type: "text", text: "see" }, image, pdf]),
    });
    includes(textOf(answer), "IMAGE:image/png");
    includes(textOf(answer), "FILE:");
  },
  "stop sequences and max_tokens": async () => {
    const stopped = await client.messages.create({
      model,
      max_tokens: 500,
      stop_sequences: ["w3"],
      messages: user("[[long 50]]"),
    });
    equal([textOf(stopped), stopped.stop_reason, stopped.stop_sequence], ["w0 w1 w2 ", "stop_sequence", "w3"]);
    const short = await client.messages.create({ model, max_tokens: 5, messages: user("[[long 50]]") });
    equal(short.stop_reason, "max_tokens");
  },
  "count_tokens and models": async () => {
    ok(
      (await client.messages.countTokens({ model, messages: user("hello"), tools: [weather] })).input_tokens > 5,
      "count",
    );
    const ids = [];
    for await (const entry of client.models.list()) ids.push(entry.id);
    ok(ids.includes("gpt-6.1-sol"), `models are ${ids}`);
  },
  "errors have their classes": async () => {
    const wrong = await client.messages.create({ model, max_tokens: 5, messages: "x" }).catch((error) => error);
    ok(wrong instanceof BadRequestError && wrong.requestID, `no BadRequestError with id: ${wrong}`);
    const unknown = await client.messages
      .create({ model: "gpt-none", max_tokens: 5, messages: user("x") })
      .catch((error) => error);
    ok(unknown instanceof NotFoundError, `no NotFoundError: ${unknown}`);
  },
});
