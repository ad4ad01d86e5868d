import type { CredentialSession } from "../credentials/credentials.ts";
import { isObject } from "../json.ts";
import type { CancelSignal, Clock, UpstreamFetch } from "../platform.ts";
import { encodeEvent } from "../sse/encode.ts";
import { fromResponse } from "../stream/byte-source.ts";
import { demoEvents } from "./answer.ts";

/** Models of both lanes, so that a newcomer sees each work. */
const MODELS = [
  { slug: "demo-large", display_name: "Demo Large", priority: 1, use_responses_lite: false },
  { slug: "demo-small-luna", display_name: "Demo Small", priority: 2, use_responses_lite: true },
].map((model) => ({
  ...model,
  description: "Offline demo model",
  visibility: "list",
  supported_in_api: true,
  context_window: 272_000,
  max_context_window: 272_000,
  effective_context_window_percent: 95,
  default_reasoning_level: "medium",
  supported_reasoning_levels: ["low", "medium", "high"].map((effort) => ({ effort, description: effort })),
  support_verbosity: true,
  input_modalities: ["text", "image"],
  service_tiers: [],
}));

/** The pause between two pieces of a demo answer, so that a stream looks like one. */
const PIECE_MS = 15;

/** An upstream without network or account: `start --demo` runs the whole server on it. */
export function createDemoFetch(clock: Clock, newId: () => string): UpstreamFetch {
  return async (url, request) => {
    const path = new URL(url).pathname;
    if (path.endsWith("/models")) return fromResponse(Response.json({ models: MODELS }));
    if (path.endsWith("/accounts/check")) return fromResponse(Response.json({ accounts: [] }));
    if (!path.endsWith("/responses")) return fromResponse(Response.json({ detail: "Not Found" }, { status: 404 }));
    const body: unknown = JSON.parse(String(request.body));
    if (!isObject(body)) return fromResponse(Response.json({ detail: "Bad Request" }, { status: 400 }));
    const events = demoEvents(body, `resp_demo_${newId()}`, Math.floor(clock.now() / 1000));
    return fromResponse(
      new Response(paced(events, clock, request.signal), { headers: { "content-type": "text/event-stream" } }),
    );
  };
}

function paced(
  events: ReturnType<typeof demoEvents>,
  clock: Clock,
  signal: CancelSignal | undefined,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const utf8 = new TextEncoder();
  let sequence_number = 0;
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = events.next();
      if (done || signal?.aborted) {
        controller.close();
        return;
      }
      if (value.type.endsWith(".delta")) await clock.sleep(PIECE_MS);
      controller.enqueue(utf8.encode(encodeEvent(value.type, { ...value, sequence_number: sequence_number++ })));
    },
  });
}

/** A login that stands for nothing. */
export const demoSession: CredentialSession = {
  authPath: "(offline demo)",
  current: async () => CREDENTIALS,
  recover: async () => CREDENTIALS,
};

const CREDENTIALS = {
  mode: "chatgpt",
  accessToken: "demo",
  refreshToken: undefined,
  accountId: undefined,
  fedramp: false,
  expiresAt: undefined,
} as const;
