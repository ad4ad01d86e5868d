import { loadConfig } from "../config/load.ts";
import type { Settings } from "../config/options.ts";
import { resolveSettings } from "../config/settings.ts";
import { VERSION } from "../config/version.ts";
import { takeOver } from "../daemon/handover.ts";
import { findInstance, removeInstance, writeInstance } from "../daemon/instance.ts";
import { makeFolders } from "../daemon/launch.ts";
import { writeStateFile } from "../daemon/state-file.ts";
import type { Platform } from "../platform.ts";
import type { Command } from "./command.ts";
import { publicUrl } from "./endpoints.ts";
import { type RunningServer, startServer } from "./serve.ts";
import { createServiceNotifier } from "./service/notify.ts";

/** What `start` runs in the background, with the settings that it hands over. */
export const serveCommand: Command = {
  name: "serve",
  summary: "serve in the foreground, configured by the environment alone",
  settings: [],
  examples: ["codex-api-proxy serve"],
  run: ({ platform }) => serveFromEnvironment(platform),
};

/** Without a command and a terminal: what a service manager runs. */
export function serveFromEnvironment(platform: Platform): Promise<number> {
  const handed = takeOver(platform.env);
  if (handed) return serveUntilStopped(platform, handed, { logTo: "file", keepsSettings: true, background: true });
  const { settings } = resolveSettings({ flags: {}, env: platform.env, homeDir: platform.homeDir });
  const { ready, stopping } = createServiceNotifier(platform);
  return serveUntilStopped(platform, settings, {
    logTo: "stderr",
    keepsSettings: false,
    background: false,
    onReady: ready,
    onStopping: stopping,
  });
}

export interface ServeMode {
  readonly logTo: "file" | "stderr";
  /** Writes config.toml: a service is configured elsewhere. */
  readonly keepsSettings: boolean;
  /**
   * Nobody watches: it says nothing, and ends when its files cannot be written, by which alone it is found. In the foreground
   * it does without, since a service's file system may be read-only.
   */
  readonly background: boolean;
  /** Called when it listens and is on record. */
  readonly onReady?: () => void;
  /** Called when it was told to stop. */
  readonly onStopping?: () => void;
}

/** Serves until the process is told to stop; gives the exit code. */
export async function serveUntilStopped(platform: Platform, settings: Settings, mode: ServeMode): Promise<number> {
  const { stopped, insisted } = untilTold(platform);
  const config = await loadConfig(settings, platform);
  const controlKey = config.apiKeys.length > 0 ? newKey() : undefined;
  const server = await startServer(platform, {
    settings,
    config,
    logTo: mode.logTo,
    keepsSettings: mode.keepsSettings,
    ...(controlKey === undefined ? {} : { controlKey }),
  });
  const recorded = await record(platform, settings, mode, server, controlKey).catch(async (error: unknown) => {
    if (mode.background) {
      await server.stop();
      throw error;
    }
    server.log.write("server", "info", "not_recorded", { reason: (error as Error).message });
    return false;
  });
  if (!mode.background) {
    platform.write("stdout", `codex-api-proxy ${VERSION} listening on ${publicUrl(config.host, server.port)}\n`);
  }
  mode.onReady?.();
  await stopped;
  mode.onStopping?.();
  await server.stop(insisted);
  if (recorded) await removeInstance(platform.files, settings.pid_file, platform.processes.pid).catch(() => {});
  return 0;
}

/** One Ctrl-C may arrive twice, from the terminal and from the program in front (npx): a second one counts after so long. */
const SAME_SIGNAL_MS = 1_000;

/** The signal to stop, and the one by which the user says that open requests are not worth waiting for. */
function untilTold({ processes, clock }: Platform): { stopped: Promise<void>; insisted: Promise<void> } {
  let toldAt: number | undefined;
  let stop = (): void => {};
  let insist = (): void => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const insisted = new Promise<void>((resolve) => {
    insist = resolve;
  });
  processes.onShutdown(() => {
    if (toldAt === undefined) {
      toldAt = clock.now();
      stop();
    } else if (clock.now() - toldAt >= SAME_SIGNAL_MS) insist();
  });
  return { stopped, insisted };
}

async function record(
  platform: Platform,
  settings: Settings,
  mode: ServeMode,
  { port, log }: RunningServer,
  controlKey: string | undefined,
): Promise<boolean> {
  const { files, processes, runtime, clock } = platform;
  await makeFolders(platform, settings);
  // Whoever waits for the record finds the log's first lines.
  await log.flush();
  // One of the user's own may run beside a service; it keeps the pid file.
  if (await findInstance(platform, settings.pid_file)) return false;
  if (mode.keepsSettings) await writeStateFile(files, settings.state_file, settings);
  await writeInstance(files, settings.pid_file, {
    pid: processes.pid,
    startMark: await processes.startMark(processes.pid),
    host: settings.host,
    port,
    version: VERSION,
    runtime: `${runtime.name} ${runtime.version}`,
    startedAt: clock.now(),
    controlKey,
  });
  return true;
}

/** 256 random bits. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
