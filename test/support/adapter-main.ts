import { jsonAnswer } from "../../src/answer.ts";
import type { Answer, Handler, Platform, ServerRequest } from "../../src/platform.ts";
import { handOn } from "../../src/stream/hand-on.ts";

/**
 * Stands in for the CLI: `?url=` is fetched by the platform and handed on in the way that the path names, `/read` pushed
 * with backpressure, `/text` whole. `/health` tells about the process. Cancellations are printed.
 */
export async function runCli(platform: Platform): Promise<void> {
  if (platform.argv[0] === "count") return countUp(platform);
  if (platform.argv[0] === "files") return callFiles(platform);
  const caFile = platform.env("TEST_CA");
  const upstream = platform.createFetch({
    proxyUrl: platform.env("TEST_PROXY"),
    noProxy: platform.env("TEST_NO_PROXY")?.split(",") ?? [],
    extraCa: caFile === undefined ? undefined : await platform.files.readText(caFile),
  });
  const print = (line: string): void => platform.write("stdout", `${line}\n`);

  const serve = async (request: ServerRequest, clientLeft: Parameters<Handler>[1]): Promise<Answer> => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/health") {
      const { rss } = process.memoryUsage();
      return jsonAnswer({ rss, upgrade: request.headers.get("upgrade"), pid: platform.processes.pid });
    }
    const signal = clientLeft?.() ?? request.signal;
    signal.addEventListener("abort", () => print(`left ${searchParams.get("id")}`));
    const body = request.method === "POST" ? new TextDecoder().decode(await request.arrayBuffer()) : undefined;
    const response = await upstream(searchParams.get("url") ?? "", {
      method: request.method,
      headers: {},
      signal,
      ...(body !== undefined && { body }),
    });
    const headers = { "x-encoding": response.headers.get("content-encoding") ?? "none" };
    const whole = pathname === "/text";
    return { status: response.status, headers, body: whole ? await response.text(1_000_000) : handOn(response) };
  };

  try {
    const host = platform.env("TEST_HOST") ?? "127.0.0.1";
    const port = Number(platform.env("TEST_PORT") ?? 0);
    const answer: Handler = (request, clientLeft) =>
      serve(request, clientLeft).catch((error: Error) => ({ status: 502, headers: {}, body: error.message }));
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

/** Does what its argument says, `[method, ...arguments]` of the file store, and prints `["given", …]` or `["thrown", code]`. */
async function callFiles({ argv, files, write }: Platform): Promise<void> {
  const [method, ...args] = JSON.parse(argv[1] ?? "") as [keyof typeof files, ...unknown[]];
  const call = files[method] as (...args: unknown[]) => Promise<unknown>;
  const result = await call(...args).then(
    (given) => ["given", given],
    ({ code }) => ["thrown", code],
  );
  write("stdout", `${JSON.stringify(result)}\n`);
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
