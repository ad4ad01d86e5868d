/**
 * The double as a process of its own: `node test/upstream/main.ts [--port N] [--fast --deltas N --pace MS]`. Prints one
 * JSON line with its URLs, and runs until SIGTERM or SIGINT.
 */
import { startUpstream } from "./index.ts";

function option(name: string, fallback: number): number {
  const index = process.argv.indexOf(`--${name}`);
  return index === -1 ? fallback : Number(process.argv[index + 1]);
}

const fast = process.argv.includes("--fast")
  ? { fast: { deltas: option("deltas", 200), paceMs: option("pace", 0) } }
  : {};
const upstream = await startUpstream({ port: option("port", 0), ...fast });
const { origin, port, chatgptBaseUrl, openaiBaseUrl, authIssuer, refreshTokenUrl, revokeTokenUrl } = upstream;
process.stdout.write(
  `${JSON.stringify({ origin, port, chatgptBaseUrl, openaiBaseUrl, authIssuer, refreshTokenUrl, revokeTokenUrl })}\n`,
);

const stop = () => void upstream.close().then(() => process.exit(0));
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
