import { hashKeys, storedKey } from "../../config/client-keys.ts";
import { codexHomeOf } from "../../config/load.ts";
import { OPTIONS, type Option, type Settings } from "../../config/options.ts";
import type { ResolvedSettings } from "../../config/settings.ts";
import type { Platform } from "../../platform.ts";
import { UsageError } from "../usage-error.ts";
import { launchdService } from "./launchd.ts";
import { systemdService } from "./systemd.ts";

/** A command line, program first. */
export type CommandLine = readonly string[];

/** What a service manager is to know about the server, whatever its kind. */
export interface ServiceFacts {
  readonly command: CommandLine;
  readonly environment: Readonly<Record<string, string>>;
  /** Folders that the server writes to: that of auth.json, which is renewed there, and that of its own state. */
  readonly writable: readonly string[];
  /** For the whole machine, as this user; undefined: for the session of the user who asks. */
  readonly system: { readonly user: string } | undefined;
  readonly homeDir: string;
  readonly logFile: string;
}

/** A service as one manager takes it. */
export interface ServiceDefinition {
  /** Where its file belongs. */
  readonly path: string;
  readonly text: string;
  /** To be there before it starts. */
  readonly folders: readonly string[];
  readonly install: readonly CommandLine[];
  readonly uninstall: { readonly before: readonly CommandLine[]; readonly after: readonly CommandLine[] };
  /** Ends with 0 while it runs. */
  readonly isRunning: CommandLine;
  readonly onFailure: string;
  /** What the user should know of the file. */
  readonly notes: readonly string[];
  /** What can be done now. */
  readonly after: readonly string[];
}

/** Variables beside the settings' own that change where the server finds things. */
const PASSED_ON = [
  "CODEX_HOME",
  "NO_PROXY",
  "no_proxy",
  "CODEX_API_PROXY_CA_BUNDLE",
  "REQUESTS_CA_BUNDLE",
  "SSL_CERT_FILE",
  "CODEX_API_PROXY_CLIENT_VERSION",
  "CODEX_API_PROXY_USER_AGENT",
  "CODEX_API_PROXY_RESIDENCY",
  "CODEX_API_PROXY_AUTH_ISSUER",
  "CODEX_INTERNAL_ORIGINATOR_OVERRIDE",
  "CODEX_REFRESH_TOKEN_URL_OVERRIDE",
  "CODEX_REVOKE_TOKEN_URL_OVERRIDE",
  "CODEX_APP_SERVER_LOGIN_CLIENT_ID",
];
const PATHS = ["CODEX_HOME", "CODEX_API_PROXY_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"];
/** Logins in variables are secrets; they have no place in a service's file. */
const SECRET_LOGINS = ["CODEX_API_KEY", "OPENAI_API_KEY", "CODEX_ACCESS_TOKEN"];

/**
 * The service for this machine: systemd on Linux, launchd on macOS.
 * @throws UsageError elsewhere.
 */
export async function describeService(
  platform: Platform,
  resolved: ResolvedSettings,
  forSystem: boolean,
): Promise<ServiceDefinition> {
  const { os, env } = platform;
  if (os.platform !== "linux" && os.platform !== "darwin") {
    throw new UsageError(
      `there is no service for ${os.platform}; have its own scheduler run: ${platform.commandLine.join(" ")}`,
    );
  }
  const user = env("SUDO_USER")?.trim() || env("USER")?.trim() || "root";
  const homeDir = forSystem ? await homeOf(platform, user) : platform.homeDir;
  const own = { ...platform, homeDir };
  const { settings } = resolved;
  const facts: ServiceFacts = {
    command: platform.commandLine,
    environment: await environmentOf(platform, resolved),
    writable: [...new Set([absolute(codexHomeOf(own), env), ...stateFolders(platform, settings, homeDir)])],
    system: forSystem ? { user } : undefined,
    homeDir,
    logFile: `${stateFolders(platform, settings, homeDir)[0]}/codex-api-proxy.log`,
  };
  const definition = os.platform === "linux" ? await systemdService(platform, facts) : launchdService(facts);
  return { ...definition, notes: [...definition.notes, ...notesOn(platform)] };
}

/** Folders of log and pid file, for the user as whom it runs. */
function stateFolders(caller: Platform, { pid_file, log_file }: Settings, homeDir: string): string[] {
  return [log_file, pid_file]
    .map((path) => absolute(path, caller.env).replace(/\/[^/]*$/, ""))
    .map((folder) =>
      folder.startsWith(`${caller.homeDir}/`) ? homeDir + folder.slice(caller.homeDir.length) : folder,
    );
}

/** Settings that the user gave, as options or variables, under the variables' names; keys hashed. */
async function environmentOf({ env }: Platform, { settings, from }: ResolvedSettings): Promise<Record<string, string>> {
  const entries: [string, string][] = [];
  for (const option of OPTIONS) {
    const [variable] = option.env;
    if (variable === undefined || (from[option.name] !== "option" && from[option.name] !== "environment")) continue;
    entries.push([variable, await asVariable(option, settings, env)]);
  }
  for (const name of PASSED_ON) {
    const value = env(name)?.trim();
    if (value) entries.push([name, PATHS.includes(name) ? absolute(value, env) : value]);
  }
  return Object.fromEntries(entries.filter(([, value]) => value !== ""));
}

async function asVariable({ name }: Option, settings: Settings, env: Platform["env"]): Promise<string> {
  if (name === "api_key") return keyVariable(settings.api_key);
  const value = settings[name];
  if (/_file$/.test(name)) return absolute(String(value), env);
  return Array.isArray(value) ? value.join(",") : String(value ?? "");
}

async function keyVariable(keys: readonly string[]): Promise<string> {
  if (keys.length > 1) throw new UsageError("a service takes several keys from a file: --api-key-file");
  return (await hashKeys(keys)).map(storedKey).join("");
}

/** A service has another working folder than the shell. */
function absolute(path: string, env: Platform["env"]): string {
  return path.startsWith("/") ? path : `${env("PWD") ?? ""}/${path}`;
}

function notesOn({ env, scriptPath }: Platform): string[] {
  const notes: string[] = [];
  if (/[/\\](?:_npx|\.bun[/\\]install[/\\]cache|bunx-[^/\\]*|\.cache[/\\]deno)[/\\]/.test(scriptPath)) {
    notes.push(
      "this program runs from a cache that is emptied some day; install it first: npm install -g codex-api-proxy",
    );
  }
  const login = SECRET_LOGINS.find((name) => env(name)?.trim());
  if (login !== undefined) {
    notes.push(
      `${login} is not written into the service; keep it as a login: printenv ${login} | codex-api-proxy login --with-api-key`,
    );
  }
  return notes;
}

/** With sudo the home folder may be root's. */
async function homeOf({ files, homeDir, env }: Platform, user: string): Promise<string> {
  if (user === env("USER")) return homeDir;
  const accounts = (await files.readText("/etc/passwd").catch(() => undefined)) ?? "";
  const account = accounts.split("\n").find((line) => line.startsWith(`${user}:`));
  return account?.split(":")[5] || homeDir;
}
