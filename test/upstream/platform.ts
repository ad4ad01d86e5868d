import type { Exchange } from "./context.ts";
import { asString, isObject } from "./json.ts";
import { answerChatCompletions } from "./platform-chat.ts";
import { answerPlatformResponses, answerStoredResponse } from "./platform-responses.ts";
import { invalid, missingParameter } from "./refusal.ts";
import { send, sendJson } from "./reply.ts";

/** Everything under /v1 of api.openai.com. The key is checked first. */
export async function answerPlatform(exchange: Exchange): Promise<void> {
  const { request, state } = exchange;
  const caller = state.tokens.platformCaller(request.headers.authorization);
  if (request.method === "GET" && request.path === "/v1/models") return answerModelList(exchange);
  if (request.method === "POST" && request.path === "/v1/responses") return answerPlatformResponses(exchange, caller);
  if (/^\/v1\/responses\/[^/]+/.test(request.path)) return answerStoredResponse(exchange);
  if (request.method === "POST" && request.path === "/v1/chat/completions") return answerChatCompletions(exchange);
  if (request.method === "POST" && request.path === "/v1/embeddings") return answerEmbeddings(exchange);
  echo(exchange);
}

const MODEL_IDS = ["gpt-5.5", "gpt-6-sol", "text-embedding-3-small"];

function answerModelList({ response }: Exchange): void {
  const data = MODEL_IDS.map((id) => ({ id, object: "model", created: 1_790_000_000, owned_by: "openai" }));
  sendJson(response, 200, { object: "list", data });
}

/** Deterministic vectors of three numbers, one an input. */
function answerEmbeddings({ request, response }: Exchange): void {
  const body = isObject(request.json) ? request.json : {};
  if (body.model === undefined) throw missingParameter("model");
  if (body.input === undefined) throw missingParameter("input");
  const inputs = (Array.isArray(body.input) && typeof body.input[0] !== "number" ? body.input : [body.input]).map(
    (input) => JSON.stringify(input),
  );
  const tokens = inputs.join("").length;
  const vectors = inputs.map((input) => [input.length / 100, 0.5, -0.25]);
  const base64 = body.encoding_format === "base64";
  const data = vectors.map((vector, index) => ({
    object: "embedding",
    index,
    embedding: base64 ? Buffer.from(new Float32Array(vector).buffer).toString("base64") : vector,
  }));
  sendJson(response, 200, {
    object: "list",
    data,
    model: asString(body.model),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}

/** Any other path: the request's own bytes and content type back, so that a pass-through can be compared byte by byte. */
function echo({ request, response }: Exchange): void {
  const { method, path, query, raw } = request;
  if (["GET", "HEAD", "DELETE"].includes(method)) {
    sendJson(response, 200, { object: "echo", method, path, query });
    return;
  }
  if (raw.length === 0) throw invalid("Missing request body.", null, null);
  const type = request.headers["content-type"] ?? "application/octet-stream";
  send(response, 200, raw, { "content-type": type, "x-echo-path": path });
}
