import type { Answer, BodyFlow, PushedBody } from "../platform.ts";

/** Bytes that may wait for a slow reader before the body's source is held back. */
const HIGH_WATER_MARK = 64 * 1024;

/** An answer for a server that takes Web responses. */
export function toResponse({ status, headers, body }: Answer): Response {
  const web = body !== null && typeof body === "object" && "open" in body ? toWebStream(body) : body;
  return new Response(web as BodyInit | null, { status, headers });
}

/** A pushed body as a web stream; the body starts at once. */
export function toWebStream(body: PushedBody): ReadableStream<Uint8Array> {
  let flow: BodyFlow | undefined;
  // Deno tells it while the last bytes are being taken, with the end still to come.
  let left = false;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        flow = body.open({
          write(bytes) {
            if (left) return true;
            controller.enqueue(bytes);
            return (controller.desiredSize ?? 1) > 0;
          },
          end() {
            if (!left) controller.close();
          },
          error: (cause) => controller.error(cause),
        });
      },
      pull: () => flow?.resume(),
      cancel() {
        left = true;
        flow?.cancel();
      },
    },
    { highWaterMark: HIGH_WATER_MARK, size: (bytes) => bytes.length },
  );
}
