import { findInstance, type Instance } from "../daemon/instance.ts";
import type { Platform } from "../platform.ts";
import { type Client, NO_KEY, type Target } from "./clients/client.ts";
import { CLIENTS } from "./clients/index.ts";
import { targetOf } from "./clients/target.ts";
import type { Call, Command } from "./command.ts";
import { ownServer, settingsWithSaved } from "./own-server.ts";
import { UsageError } from "./usage-error.ts";

const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;
const NAMES = CLIENTS.map(({ name }) => name).join("|");

/** `setup CLIENT`: prints what makes a client use this server, or writes it into the client's own file. */
export const setup: Command = {
  name: "setup",
  summary: "show a client's settings for this server, with models and limits from the live catalogue",
  settings: ["host", "port", "api_key", "pid_file", "log_file", "state_file"],
  operands: NAMES,
  flags: [
    { flag: "write", kind: "boolean", help: "merge them into the client's own file, keeping a backup" },
    { flag: "model", kind: "text", hint: "NAME", help: "the model to use; the catalogue's first otherwise" },
  ],
  examples: [
    "codex-api-proxy setup claude-code",
    'eval "$(codex-api-proxy setup sdk)"',
    "codex-api-proxy setup codex --write",
  ],
  async run(call) {
    const client = CLIENTS.find(({ name }) => name === call.operands[0]);
    if (!client || call.operands.length !== 1)
      throw new UsageError(`setup takes one of ${NAMES.replaceAll("|", ", ")}`);
    const target = await findTarget(call);
    if (!call.isSet("write")) {
      call.platform.write("stdout", client.show(target));
      return 0;
    }
    return writeSettings(call.platform, client, target);
  },
};

async function findTarget({ platform, given, isSet, text }: Call): Promise<Target> {
  const { settings, from } = await settingsWithSaved(platform, given);
  const running = await findInstance(platform, settings.pid_file);
  const warn = (message: string): void => platform.write("stderr", `WARNING: ${message}\n`);
  // A hashed key from config.toml is of no use to a client.
  const plain = from.api_key === "saved" ? undefined : settings.api_key.find((key) => !key.includes("sha256:"));
  const needsKey = settings.api_key.length > 0 || running?.controlKey !== undefined;
  if (needsKey && plain === undefined) {
    if (isSet("write")) throw new UsageError("the server needs a key: give it with --api-key or CODEX_PROXY_API_KEY");
    warn("put the server's key where it says YOUR-KEY, or give it with --api-key");
  }
  const at: Pick<Instance, "host" | "port" | "controlKey"> = running ?? {
    host: settings.host,
    port: settings.port,
    controlKey: plain,
  };
  const target = await targetOf(ownServer(platform, at), plain ?? (needsKey ? "YOUR-KEY" : NO_KEY), text("model"));
  if (!target.catalogue) {
    warn(
      running
        ? "the model list could not be had (see codex-api-proxy doctor), so models and limits are left out"
        : "the server does not run, so models and limits are left out; start it first: codex-api-proxy start",
    );
  }
  return target;
}

async function writeSettings(platform: Platform, client: Client, target: Target): Promise<number> {
  if (!client.file || !client.merge) throw new UsageError(`${client.name} has no file to write to`);
  const { files, clock } = platform;
  const path = client.file(platform);
  const before = await files.readText(path);
  const after = client.merge(before, target);
  if (before === after) {
    platform.write("stdout", `${path} is up to date\n`);
    return 0;
  }
  const stat = await files.stat(path);
  const stamp = new Date(clock.now()).toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  const backup = `${path}.backup-${stamp}`;
  if (before !== undefined) await files.writeTextAtomic(backup, before, stat?.mode ?? PRIVATE_FILE);
  await files.makeDir(path.replace(/[/\\][^/\\]*$/, ""), PRIVATE_FOLDER);
  await files.writeTextAtomic(path, after, stat?.mode ?? PRIVATE_FILE);
  platform.write("stdout", `written: ${path}\n${before === undefined ? "" : `backup: ${backup}\n`}`);
  return 0;
}
