import type { CancelSignal, Platform, UpstreamResponse } from "../../src/platform.ts";

/**
 * Stands in for the CLI: `?url=` is fetched by the platform and handed on in the way that the path names, `/read` pushed
 * with backpressure, `/stream` as a web stream, `/text` whole. `/health` tells about the process. Cancellations are printed.
 */
export async function runCli(platform: Platform): Promise<void> {
  if (platform.argv[0] === "count") return countUp(platform);
  const caFile = platform.env("TEST_CA");
  const upstream = platform.createFetch({
    proxyUrl: platform.env("TEST_PROXY"),
    noProxy: platform.env("TEST_NO_PROXY")?.split(",") ?? [],
    extraCa: caFile === undefined ? undefined : await platform.files.readText(caFile),
  });
  const print = (line: string): void => platform.write("stdout", `${line}\n`);

  const serve = async (request: Request, clientLeft?: () => CancelSignal): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/health") {
      const { rss } = process.memoryUsage();
      return Response.json({
        rss,
        upgrade: request.headers.get("upgrade"),
        pid: platform.processes.pid,
      });
    }
    const signal = clientLeft?.() ?? request.signal;
    signal.addEventListener("abort", () => print(`left ${searchParams.get("id")}`));
    const body = request.method === "POST" ? await request.text() : undefined;
    const response = await upstream(searchParams.get("url") ?? "", {
      method: request.method,
      headers: {},
      signal,
      ...(body !== undefined && { body }),
    });
    const headers = new Headers({ "x-encoding": response.headers.get("content-encoding") ?? "none" });
    return new Response(await bodyOf(pathname, response), { status: response.status, headers });
  };

  try {
    const host = platform.env("TEST_HOST") ?? "127.0.0.1";
    const port = Number(platform.env("TEST_PORT") ?? 0);
    const answer = (request: Request, clientLeft?: () => CancelSignal): Promise<Response> =>
      serve(request, clientLeft).catch((error: Error) => new Response(error.message, { status: 502 }));
    const listener = await platform.listen(answer, { host, port });
    print(`listening ${listener.port}`);
    platform.processes.onShutdown(async () => {
      await listener.close(3_000);
      platform.processes.exit(0);
    });
  } catch (error) {
    print(`refused ${(error as { code?: string }).code}: ${(error as Error).message}`);
    platform.processes.exit(1);
  }
}

/** Adds 1 to the number in a file again and again, each time under its lock: a lost update shows in the sum. */
async function countUp({ argv, files }: Platform): Promise<void> {
  const [, path = "", times] = argv;
  for (let i = 0; i < Number(times); i++) {
    await files.withLock(path, async () => {
      const count = Number((await files.readText(path)) ?? 0);
      await files.writeTextAtomic(path, String(count + 1), 0o600);
    });
  }
}

async function bodyOf(pathname: string, response: UpstreamResponse): Promise<string | ReadableStream<Uint8Array>> {
  if (pathname === "/text") return response.text(1_000_000);
  return pathname === "/stream" ? response.stream() : pushed(response);
}

function pushed(response: UpstreamResponse): ReadableStream<Uint8Array> {
  let flow: ReturnType<UpstreamResponse["read"]> | undefined;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        flow = response.read({
          chunk(bytes) {
            controller.enqueue(bytes);
            if ((controller.desiredSize ?? 0) <= 0) flow?.pause();
          },
          end: () => controller.close(),
          error: (cause) => controller.error(cause),
        });
      },
      pull: () => flow?.resume(),
      cancel: () => flow?.cancel(),
    },
    { highWaterMark: 65_536, size: (bytes) => bytes.length },
  );
}
