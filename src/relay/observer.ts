import { createCollector } from "../canonical/collect.ts";
import type { CanonicalEvent, ResponsesUsage, UpstreamEvent } from "../canonical/event.ts";
import { failureOfEvent } from "../canonical/failure.ts";
import type { AnswerContext } from "../dialects/dialect.ts";
import type { UpstreamAnswer } from "../upstream/send.ts";
import type { RelayDeps, RelayRequest } from "./request.ts";

/** Learns what a finished answer tells: usage for log and metrics, quota, the memory between turns. */
export function createObserver<Body>(
  deps: RelayDeps,
  request: RelayRequest<Body>,
  answer: UpstreamAnswer,
  context: AnswerContext,
) {
  const { facts } = request.exchange;
  // A whole answer is collected where it is answered.
  const collector = request.onAnswer && facts.stream ? createCollector() : undefined;
  return {
    see(event: UpstreamEvent): void {
      switch (event.type) {
        case "response.output_item.done":
        case "response.created":
          collector?.push(event);
          return;
        case "response.output_item.added":
        case "response.output_text.delta":
          facts.firstOutputAt ??= deps.clock.now();
          return;
        case "codex.rate_limits":
          deps.quota.seeEvent(event.value as unknown as Record<string, unknown>);
          return;
        case "response.completed":
        case "response.incomplete":
        case "response.failed":
        case "error":
          collector?.push(event);
          this.end(event.value);
      }
    },
    end(value: CanonicalEvent): void {
      const failure = failureOfEvent(value);
      if (failure) {
        facts.error = failure;
        deps.metrics.upstreamFailed(failure.kind);
        return;
      }
      if (!("response" in value)) return;
      if (value.response.usage) addUsage(value.response.usage, value.response.local_stop === undefined);
      if (collector) request.onAnswer?.(collector.finish(), context.id);
    },
  };

  function addUsage(usage: ResponsesUsage, fromUpstream: boolean): void {
    const seen = {
      input: usage.input_tokens,
      cached: usage.input_tokens_details?.cached_tokens ?? 0,
      output: usage.output_tokens,
      reasoning: usage.output_tokens_details?.reasoning_tokens ?? 0,
    };
    const before = facts.usage;
    facts.usage = before
      ? {
          input: before.input + seen.input,
          cached: before.cached + seen.cached,
          output: before.output + seen.output,
          reasoning: before.reasoning + seen.reasoning,
        }
      : seen;
    deps.metrics.tokensUsed(answer.model, seen);
    if (fromUpstream) deps.tokens.learn(answer.model, request.canonical.body, usage.input_tokens);
  }
}
