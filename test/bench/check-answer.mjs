/** Whether an answer came through whole: status, every byte of text, final marker. */
import { stampedLength, textOf } from "./frames.mjs";

/** @param grammar the dialect that the answer is in; limits speak upstream's own. */
export function isComplete({ status, text }, scenario, grammar) {
  if (status !== 200) return false;
  const got = scenario.stream || grammar === "upstream" ? STREAMS[grammar](eventsOf(text)) : WHOLES[grammar](text);
  if (!got.ended) return false;
  return scenario.pauseMs ? got.text.length === stampedLength(scenario.deltas) : got.text === textOf(scenario.deltas);
}

function eventsOf(text) {
  return text
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => (line === "data: [DONE]" ? { done: true } : JSON.parse(line.slice(6))));
}

const responses = (events) => ({
  text: events.map((event) => (event.type === "response.output_text.delta" ? event.delta : "")).join(""),
  ended: events.some((event) => event.type === "response.completed"),
});

const STREAMS = {
  chat: (events) => ({
    text: events.map((event) => event.choices?.[0]?.delta?.content ?? "").join(""),
    ended: events.at(-1)?.done === true && events.some((event) => event.choices?.[0]?.finish_reason === "stop"),
  }),
  messages: (events) => ({
    text: events.map((event) => event.delta?.text ?? "").join(""),
    ended: events.at(-1)?.type === "message_stop",
  }),
  responses,
  upstream: responses,
};

const WHOLES = {
  chat(text) {
    const choice = JSON.parse(text).choices[0];
    return { text: choice.message.content, ended: choice.finish_reason === "stop" };
  },
};
