import type { CommandDef, SubCommandsDef } from "citty";
import type { Platform } from "../platform.ts";
import type { Command } from "./command.ts";

interface Entry {
  /** Undefined for a command that only this program calls. */
  readonly summary?: string;
  /** Loaded on use: `--help` and `status` must not pay for the server. */
  load(): Promise<Command>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  start: { summary: "start the server in the background", load: async () => (await import("./start.ts")).start },
  stop: { summary: "stop it, letting open requests end", load: async () => (await import("./stop.ts")).stop },
  restart: {
    summary: "stop it and start it again with the saved settings",
    load: async () => (await import("./restart.ts")).restart,
  },
  status: { summary: "show whether it runs, and where", load: async () => (await import("./status.ts")).status },
  logs: { summary: "show the log, -f follows it", load: async () => (await import("./logs.ts")).logs },
  doctor: {
    summary: "check everything and say what to do",
    load: async () => (await import("./doctor/index.ts")).doctor,
  },
  setup: {
    summary: "show or write a client's settings for this server",
    load: async () => (await import("./setup.ts")).setup,
  },
  run: { summary: "run a client on a server of its own", load: async () => (await import("./run.ts")).run },
  login: { summary: "sign in; Codex shares the login", load: async () => (await import("./account.ts")).login },
  logout: { summary: "revoke and remove the login", load: async () => (await import("./account.ts")).logout },
  whoami: { summary: "show account, plan and expiry", load: async () => (await import("./account.ts")).whoami },
  service: {
    summary: "install, remove or print a systemd or launchd service",
    load: async () => (await import("./service.ts")).service,
  },
  completions: {
    summary: "print completions for bash, zsh or fish",
    load: async () => (await import("./completions.ts")).completions,
  },
  "renew-login": { load: async () => (await import("./renew-login.ts")).renewLogin },
  serve: { load: async () => (await import("./serve-command.ts")).serveCommand },
};

/** Names and summaries of the commands for users. */
export const commandSummaries = (): [name: string, summary: string][] =>
  Object.entries(COMMANDS).flatMap(([name, { summary }]) => (summary === undefined ? [] : [[name, summary]]));

/** Every command for users, loaded. */
export const loadCommands = (): Promise<Command[]> =>
  Promise.all(
    Object.values(COMMANDS)
      .filter(({ summary }) => summary !== undefined)
      .map((entry) => entry.load()),
  );

/** The whole program: runs the command of `platform.argv` and ends with its exit code. Errors are told in a line. */
export async function runCli(platform: Platform): Promise<void> {
  let code: number;
  try {
    code = await dispatch(platform);
  } catch (error) {
    const { explain } = await import("./explain.ts");
    const { message, exitCode } = explain(error);
    platform.write("stderr", `ERROR: ${message}\n`);
    code = exitCode;
  }
  platform.processes.exit(code);
}

async function dispatch(platform: Platform): Promise<number> {
  const [first, ...rest] = platform.argv;
  if (first === undefined) return withoutCommand(platform);
  if (first === "--version" || first === "-V" || first === "-v") return version(platform);
  if (first === "--help" || first === "-h" || first === "help") return help(platform, rest[0]);
  if (!Object.hasOwn(COMMANDS, first)) return unknown(first);
  let code = 0;
  const { runCommand } = await import("citty");
  await runCommand(
    commandTree(platform, (result) => {
      code = result;
    }),
    { rawArgs: [...platform.argv] },
  );
  return code;
}

/** The commands as citty knows them; each reads its own arguments strictly. */
function commandTree(platform: Platform, finish: (code: number) => void): CommandDef {
  const subCommands: SubCommandsDef = {};
  for (const [name, entry] of Object.entries(COMMANDS)) {
    const hidden = entry.summary === undefined;
    subCommands[name] = {
      meta: { name, hidden, ...(entry.summary === undefined ? {} : { description: entry.summary }) },
      run: async ({ rawArgs }) => finish(await runOne(platform, entry, rawArgs)),
    };
  }
  return { meta: { name: "codex-api-proxy" }, subCommands };
}

async function runOne(platform: Platform, entry: Entry, args: readonly string[]): Promise<number> {
  const command = await entry.load();
  const end = args.indexOf("--");
  const own = end < 0 ? args : args.slice(0, end);
  if (own.includes("--help") || own.includes("-h")) {
    const { commandHelp } = await import("./help.ts");
    platform.write("stdout", commandHelp(command));
    return 0;
  }
  const { readArguments } = await import("./arguments.ts");
  return command.run(readArguments(platform, command, args));
}

/** Under a service manager: serve, configured by the environment alone. For a person: what is, and what to do next. */
async function withoutCommand(platform: Platform): Promise<number> {
  if (platform.isTerminal("stdout") && platform.stdin.isTerminal()) {
    const { welcome } = await import("./welcome.ts");
    return welcome(platform);
  }
  const { serveFromEnvironment } = await import("./serve-command.ts");
  return serveFromEnvironment(platform);
}

async function version(platform: Platform): Promise<number> {
  const { VERSION } = await import("../config/version.ts");
  platform.write("stdout", `codex-api-proxy ${VERSION}\n`);
  return 0;
}

async function help(platform: Platform, name: string | undefined): Promise<number> {
  const { commandHelp, overview } = await import("./help.ts");
  if (name === undefined) {
    platform.write("stdout", overview(commandSummaries()));
    return 0;
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!entry) return unknown(name);
  platform.write("stdout", commandHelp(await entry.load()));
  return 0;
}

async function unknown(name: string): Promise<never> {
  const [{ UsageError }, { nearest }] = await Promise.all([import("./usage-error.ts"), import("./nearest.ts")]);
  if (name.startsWith("-")) {
    throw new UsageError(`${name} needs a command before it, such as codex-api-proxy start ${name}`);
  }
  const guess = nearest(
    name,
    commandSummaries().map(([known]) => known),
  );
  const hint = guess === undefined ? "see codex-api-proxy --help" : `did you mean ${guess}?`;
  throw new UsageError(`unknown command ${JSON.stringify(name)}; ${hint}`);
}
