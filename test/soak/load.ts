/** What clients ask in the course of a day: every API, whole and streamed, tools, errors, and some who leave. */
const ASKS: readonly { path: string; body: object; leaves?: true; status?: number }[] = [
  { path: "/v1/chat/completions", body: chat("hello") },
  { path: "/v1/chat/completions", body: { ...chat("hello [[long 40]]"), stream: true } },
  { path: "/v1/chat/completions", body: { ...chat("[[long 300]]"), stream: true }, leaves: true },
  { path: "/v1/chat/completions", body: { model: "gpt-5.5" }, status: 400 },
  { path: "/v1/responses", body: { model: "gpt-5.5", input: "hello" } },
  { path: "/v1/responses", body: { model: "gpt-6.1-sol", input: "hello [[long 40]]", stream: true } },
  { path: "/v1/messages", body: message("hello") },
  { path: "/v1/messages", body: { ...message("hello [[long 40]]"), stream: true } },
  { path: "/v1/messages", body: { ...message("[[long 300]]"), stream: true }, leaves: true },
  {
    path: "/v1/chat/completions",
    body: { ...chat("[[tool name=Read]]"), tools: [{ type: "function", function: { name: "Read", parameters: {} } }] },
  },
];

function chat(content: string): object {
  return { model: "gpt-5.5", messages: [{ role: "user", content }] };
}

function message(content: string): object {
  return { model: "gpt-5.5", max_tokens: 2_000, messages: [{ role: "user", content }] };
}

/** Sends `count` requests, `atOnce` at a time; each prompt is another. Rejects at the first answer that is not as it should be. */
export async function sendLoad(url: string, count: number, atOnce: number): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const number = next++;
      await sendOne(url, number);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

async function sendOne(url: string, number: number): Promise<void> {
  const ask = ASKS[number % ASKS.length] as (typeof ASKS)[number];
  const response = await fetch(url + ask.path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(ask.body).replace("hello", `hello ${number}`),
  });
  if (ask.leaves) {
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    return;
  }
  const text = await response.text();
  if (response.status !== (ask.status ?? 200)) throw new Error(`${ask.path} ${response.status}: ${text.slice(0, 500)}`);
}
