import type { ProxyConfig } from "../config/config.ts";
import { createAuthStore } from "../credentials/auth-store.ts";
import { fingerprint, type RenewApart, type RenewalTask } from "../credentials/renew-apart.ts";
import { type RenewalOutcome, renewOnce } from "../credentials/renew-once.ts";
import { HANDOVER } from "../daemon/handover.ts";
import { ProxyError } from "../errors.ts";
import { isObject } from "../json.ts";
import { silentLog } from "../observability/log.ts";
import type { Platform } from "../platform.ts";
import type { Command } from "./command.ts";

/** The command that the server starts for a refresh; not meant for people, so `--help` does not list it. */
export const RENEW_COMMAND = "renew-login";
/** Carries the task to it: an environment is private to the user, unlike a command line. */
const TASK_VARIABLE = "CODEX_API_PROXY_RENEWAL";

/** Secrets of the server that this process has no use for. */
const NOT_NEEDED = {
  [HANDOVER]: undefined,
  CODEX_PROXY_API_KEY: undefined,
  CODEX_API_KEY: undefined,
  CODEX_ACCESS_TOKEN: undefined,
  OPENAI_API_KEY: undefined,
};

type RenewalConfig = Pick<ProxyConfig, "codexHome" | "refreshTokenUrl" | "oauthClientId" | "identity" | "network">;

interface Assignment {
  readonly task: RenewalTask;
  readonly config: RenewalConfig;
}

/** Said when other processes are locked out: from then on the token endpoint is waited for. */
const LOCKED_LINE = '{"locked":true}\n';
const POLL_MS = 20;
/** A token endpoint is given up after 30 s, and before that a lock is waited for. */
const LIMIT_MS = 90_000;
const SAVE_PAUSE_MS = 5_000;
const SAVE_TRIES = 120;

/**
 * Refreshes in a detached process that outlives this one.
 * @param stateDir Private folder for the outcome, a line of JSON without any token.
 */
export function createRenewApart(platform: Platform, config: RenewalConfig, stateDir: string): RenewApart {
  const { files, processes, clock } = platform;
  const { codexHome, refreshTokenUrl, oauthClientId, identity, network } = config;
  return async (task, onLocked) => {
    const outcomePath = `${stateDir}/renewal-${processes.pid}.json`;
    const assignment: Assignment = { task, config: { codexHome, refreshTokenUrl, oauthClientId, identity, network } };
    await files.makeDir(stateDir, 0o700);
    await files.remove(outcomePath);
    const env = { ...platform.environment(), ...NOT_NEEDED, [TASK_VARIABLE]: JSON.stringify(assignment) };
    const pid = await processes.spawnDetached({ args: [RENEW_COMMAND], env, logPath: outcomePath });
    try {
      const until = clock.now() + LIMIT_MS;
      // Asked before reading: a process that has ended by then has written all it has to say.
      for (let alive = true; alive && clock.now() < until; ) {
        alive = processes.isAlive(pid);
        const text = await files.readText(outcomePath);
        if (text?.includes(LOCKED_LINE)) onLocked();
        const outcome = readOutcome(text);
        if (outcome !== undefined) return outcome;
        if (alive) await clock.sleep(POLL_MS);
      }
      throw new Error("the process that renews the login ended without a result");
    } finally {
      await files.remove(outcomePath);
    }
  };
}

/** The other side as a command. */
export const renewLogin: Command = {
  name: RENEW_COMMAND,
  summary: "renew the login for a server that may be killed meanwhile",
  settings: [],
  examples: [],
  async run({ platform }) {
    await runRenewLogin(platform);
    return 0;
  },
};

/** Does the task in the environment, prints how it ended. @throws ProxyError when a person has called it. */
export async function runRenewLogin(platform: Platform): Promise<void> {
  const { files, clock } = platform;
  const assignment = platform.env(TASK_VARIABLE);
  if (assignment === undefined) {
    throw new ProxyError("invalid_request", `${RENEW_COMMAND} is for the server itself: the login is renewed when due`);
  }
  // A service manager that stops the server signals its children too: what was begun is finished.
  platform.processes.onShutdown(() => {});
  const { task, config } = JSON.parse(assignment) as Assignment;
  const store = createAuthStore({ files, clock, log: silentLog }, `${config.codexHome}/auth.json`);
  const deps = { store, clock, config, fetch: platform.createFetch(config.network) };
  const isSeen = async ({ accessToken }: { accessToken: string }) => (await fingerprint(accessToken)) === task.seen;
  const outcome = await renewOnce(deps, task.reason, isSeen, () => platform.write("stdout", LOCKED_LINE));
  for (let attempt = 0; store.isUnsaved() && attempt < SAVE_TRIES; attempt++) {
    await clock.sleep(SAVE_PAUSE_MS);
    await store.read().catch(() => {});
  }
  platform.write("stdout", `${JSON.stringify({ renewal: outcome })}\n`);
}

/** The outcome in what the process has printed, which may include a runtime's warnings. */
function readOutcome(text: string | undefined): RenewalOutcome | undefined {
  for (const line of text?.split("\n").slice(0, -1) ?? []) {
    if (!line.startsWith('{"renewal":')) continue;
    const parsed: unknown = JSON.parse(line);
    if (isObject(parsed) && isObject(parsed.renewal)) return parsed.renewal as RenewalOutcome;
  }
  return undefined;
}
