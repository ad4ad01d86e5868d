import { loadConfig } from "../config/load.ts";
import { resolveSettings, stateFolder } from "../config/settings.ts";
import type { Platform } from "../platform.ts";
import type { Client, Launch, Target } from "./clients/client.ts";
import { clientOf } from "./clients/index.ts";
import { targetOf } from "./clients/target.ts";
import type { Command } from "./command.ts";
import { ownServer } from "./own-server.ts";
import { newKey } from "./serve-command.ts";
import { UsageError } from "./usage-error.ts";

const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;
const NOT_FOUND = 127;

/** `run -- CLIENT …`: a server on a free port with a one-time key, for as long as the client runs. */
export const run: Command = {
  name: "run",
  summary: "run a client on a server of its own: free port, one-time key, ended with the client",
  settings: "all",
  operands: "-- COMMAND [ARGUMENT…]",
  flags: [{ flag: "model", kind: "text", hint: "NAME", help: "the model to use; the catalogue's first otherwise" }],
  examples: [
    "codex-api-proxy run -- claude",
    'codex-api-proxy run --fast -- codex exec "say hello"',
    "codex-api-proxy run -- python my_script.py",
  ],
  async run({ platform, given, text, operands, rest }) {
    const [command, ...args] = rest ?? [];
    if (command === undefined || operands.length > 0) {
      throw new UsageError("run takes the client's command behind --, such as codex-api-proxy run -- claude");
    }
    const sources = { flags: given, env: platform.env, homeDir: platform.homeDir };
    const key = newKey();
    const settings = {
      ...resolveSettings(sources).settings,
      host: "127.0.0.1",
      port: 0,
      api_key: [key],
      api_key_file: undefined,
    };
    await platform.files.makeDir(stateFolder(platform.homeDir), PRIVATE_FOLDER);
    const { startServer } = await import("./serve.ts");
    const config = await loadConfig(settings, platform);
    const server = await startServer(platform, { settings, config, logTo: "file" });
    // Ctrl-C is the client's: it reaches both, and the server ends with the client.
    platform.processes.onShutdown(() => {});
    try {
      const own = ownServer(platform, { host: settings.host, port: server.port, controlKey: key });
      return await runClient(platform, clientOf(command), command, args, await targetOf(own, key, text("model")));
    } finally {
      await server.stop();
    }
  },
};

async function runClient(
  platform: Platform,
  client: Client,
  command: string,
  args: readonly string[],
  target: Target,
): Promise<number> {
  const { files, processes } = platform;
  const path = client.file?.(platform);
  const ownSettings = path === undefined ? undefined : await files.readText(path).catch(() => undefined);
  const launch = client.launch(args, target, ownSettings);
  const file = launch.file && {
    ...launch.file,
    path: `${stateFolder(platform.homeDir)}/run-${processes.pid}-${launch.file.name}`,
  };
  if (file) await files.writeTextAtomic(file.path, file.text, PRIVATE_FILE);
  const before = file && "option" in file ? [file.option, file.path] : [];
  try {
    return await processes.run(command, [...before, ...launch.args], environment(platform, launch, file));
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT") throw error;
    platform.write("stderr", `ERROR: there is no program ${JSON.stringify(command)} on the PATH\n`);
    return NOT_FOUND;
  } finally {
    if (file) await files.remove(file.path);
  }
}

function environment(
  platform: Platform,
  launch: Launch,
  file: { path: string; variable?: string } | undefined,
): Record<string, string | undefined> {
  const env = { ...platform.environment(), ...launch.env };
  if (file?.variable !== undefined) env[file.variable] = file.path;
  // The client talks to loopback, whatever proxy the rest goes through.
  const bypass = [env.NO_PROXY || env.no_proxy, "127.0.0.1"].filter(Boolean).join(",");
  return Object.fromEntries(
    Object.entries({ ...env, NO_PROXY: bypass, no_proxy: bypass }).filter(([, value]) => value !== undefined),
  );
}
