import { jsonAnswer } from "../answer.ts";
import { createCollector } from "../canonical/collect.ts";
import type { CanonicalResponse } from "../canonical/response.ts";
import type { Answer } from "../platform.ts";
import { answerHeaders } from "./answer-headers.ts";
import type { AnswerPath } from "./answer-path.ts";
import type { RelayRequest } from "./request.ts";

/** Answers of one request that are fetched side by side. */
const COPIES_AT_ONCE = 4;

/** Collects every copy's answer and gives one JSON body. */
export async function whole<Body>(request: RelayRequest<Body>, paths: readonly AnswerPath[]): Promise<Answer> {
  const { dialect, body, exchange } = request;
  let headers: Record<string, string> = {};
  const fetchOne = async (path: AnswerPath): Promise<CanonicalResponse> => {
    const open = await path.open();
    headers = answerHeaders(open.answer);
    const collector = createCollector();
    await open.consume((event) => collector.push(event));
    const collected = collector.finish();
    request.onAnswer?.(collected, path.context.id);
    return collected;
  };
  try {
    const answers = await inParallel(paths, COPIES_AT_ONCE, fetchOne);
    const context = (paths[0] as AnswerPath).context;
    return jsonAnswer(dialect.fromCanonical(answers, body, context), 200, headers);
  } catch (error) {
    for (const path of paths) path.cancel();
    exchange.facts.cancelled = exchange.signal.aborted;
    throw error;
  }
}

async function inParallel<T, R>(items: readonly T[], limit: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
