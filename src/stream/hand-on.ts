import type { PushedBody, UpstreamResponse } from "../platform.ts";

/** Upstream's bytes as they come, no faster than the client takes them. */
export function handOn(response: UpstreamResponse): PushedBody {
  return {
    open(sink) {
      const flow = response.read({
        chunk(bytes) {
          if (!sink.write(bytes)) flow.pause();
        },
        end: sink.end,
        error: sink.error,
      });
      return flow;
    },
  };
}
