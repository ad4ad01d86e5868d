/** What is measured. `share` is a scenario's part of the time; a limit is asked the upstream's own request instead. */
export const SCENARIOS = [
  { name: "whole-1", dialect: "chat", stream: false, deltas: 5, connections: 1, tls: true, per: "request" },
  { name: "whole-32", dialect: "chat", stream: false, deltas: 5, connections: 32, tls: true, per: "request" },
  { name: "burst-1-chat", dialect: "chat", stream: true, deltas: 200, connections: 1, per: "delta" },
  { name: "burst-1-messages", dialect: "messages", stream: true, deltas: 200, connections: 1, per: "delta" },
  { name: "burst-1-responses", dialect: "responses", stream: true, deltas: 200, connections: 1, per: "delta" },
  { name: "burst-32-chat", dialect: "chat", stream: true, deltas: 200, connections: 32, tls: true, per: "delta" },
  {
    name: "burst-32-messages",
    dialect: "messages",
    stream: true,
    deltas: 200,
    connections: 32,
    tls: true,
    per: "delta",
  },
  {
    name: "burst-32-responses",
    dialect: "responses",
    stream: true,
    deltas: 200,
    connections: 32,
    tls: true,
    per: "delta",
  },
  { name: "paced-24", dialect: "chat", stream: true, deltas: 50, pauseMs: 5, connections: 24, tls: true, per: "delta" },
  { name: "messages-2mb", dialect: "chat", stream: true, deltas: 1, connections: 1, bodyMb: 2, per: "request" },
];

/** Many streams at a person's reading pace, each once: does any wait for another? */
export const SLOW_STREAMS = { name: "slow-streams", dialect: "chat", stream: true, pauseMs: 200 };

const PATHS = { chat: "/v1/chat/completions", messages: "/v1/messages", responses: "/v1/responses" };
export const UPSTREAM_PATH = "/backend-api/codex/responses";

/** Head and body of a scenario's request, as bytes. */
export function requestOf(scenario, { raw }) {
  const asked = `bench:${scenario.deltas}:${scenario.pauseMs ?? 0};`;
  const texts = scenario.bodyMb === undefined ? [asked] : [...longHistory(scenario.bodyMb), asked];
  const dialect = raw ? "upstream" : scenario.dialect;
  const body = Buffer.from(JSON.stringify(BODIES[dialect](texts, scenario.stream)));
  const headers = [
    `POST ${raw ? UPSTREAM_PATH : PATHS[scenario.dialect]} HTTP/1.1`,
    "host: 127.0.0.1",
    "content-type: application/json",
    "authorization: Bearer bench",
    ...(dialect === "messages" ? ["anthropic-version: 2023-06-01"] : []),
    `content-length: ${body.length}`,
  ];
  return { head: Buffer.from(`${headers.join("\r\n")}\r\n\r\n`), body };
}

const role = (index) => (index % 2 === 0 ? "user" : "assistant");
const BODIES = {
  chat: (texts, stream) => ({
    model: "gpt-5.5",
    stream,
    messages: texts.map((content, index) => ({ role: role(index), content })),
  }),
  messages: (texts, stream) => ({
    model: "gpt-5.5",
    max_tokens: 4096,
    stream,
    messages: texts.map((content, index) => ({ role: role(index), content })),
  }),
  responses: (texts, stream) => ({
    model: "gpt-5.5",
    stream,
    input: texts.map((content, index) => ({ role: role(index), content })),
  }),
  upstream: (texts) => ({
    model: "gpt-5.5",
    instructions: "You are a helpful assistant.",
    stream: true,
    store: false,
    input: texts.map((text, index) => ({
      type: "message",
      role: role(index),
      content: [{ type: index % 2 === 0 ? "input_text" : "output_text", text }],
    })),
  }),
};

/** An even number of messages, code-like text with quotes and line breaks, as long together as asked for. */
function longHistory(megabytes) {
  const line = 'const value = read("settings.json"); // what the user wrote, kept as it is\n\tif (!value) return;\n';
  const message = line.repeat(40);
  const count = Math.floor((megabytes * 1024 * 1024) / message.length / 2) * 2;
  return Array.from({ length: count }, (_, index) => `${index} ${message}`);
}
