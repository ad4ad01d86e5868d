import { type App, type AppDeps, createApp } from "../app.ts";
import { hashKeys } from "../config/client-keys.ts";
import type { ClientKey, ProxyConfig } from "../config/config.ts";
import type { Settings } from "../config/options.ts";
import { stateFolder } from "../config/settings.ts";
import { createIdleMemory } from "../daemon/idle-memory.ts";
import { traceOf } from "../errors.ts";
import { createLogFile } from "../observability/log-file.ts";
import { createLogSink, type LogSink } from "../observability/log-sink.ts";
import { createMetricsRegistry } from "../observability/metrics-registry.ts";
import type { Listener, Platform } from "../platform.ts";
import { createReload } from "./reload.ts";

/** Open requests may take so long to end when the server is told to stop. */
const DRAIN_MS = 10_000;
/** And what is left to write after that. */
const FLUSH_MS = 2_000;
/** Modules, credentials and catalogue are read so long after the server listens. */
const WARM_AFTER_MS = 100;
/** … and it has loaded everything so much later. */
const WARM_WITHIN_MS = 500;
/** Label of the CLI's own requests in logs and metrics. */
const CONTROL_LABEL = "cli";

export interface ServeOptions {
  readonly settings: Settings;
  readonly config: ProxyConfig;
  /** Where the log goes: the log file, this terminal, or nowhere. */
  readonly logTo: "file" | "stderr" | "nowhere";
  /** Accepted beside the users' keys, where there are any. */
  readonly controlKey?: string;
  /** Whether config.toml holds its settings, and is read anew at SIGHUP. */
  readonly keepsSettings?: boolean;
}

/** A server that listens. */
export interface RunningServer {
  readonly port: number;
  readonly log: LogSink;
  /** Stops accepting, lets open requests end unless `insisted` comes first, saves what is under way. */
  stop(insisted?: Promise<void>): Promise<void>;
}

/**
 * Builds the app from its parts and listens.
 * @throws ProxyError with the system's code when the address cannot be had.
 */
export async function startServer(platform: Platform, options: ServeOptions): Promise<RunningServer> {
  const { clock, files, env } = platform;
  const { settings } = options;
  const log = createLog(platform, options);
  const controlKeys = await controlKeysOf(options);
  const config = { ...options.config, apiKeys: [...options.config.apiKeys, ...controlKeys] };
  const metrics = createMetricsRegistry(clock.now);
  const upstream = await upstreamOf(platform, settings, config);
  const memory = createIdleMemory(platform.memory);
  const app = createApp({ loadApi, config, ...upstream, files, clock, newId, log, metrics, env, work: memory });
  const { host } = config;
  const listener = await platform.listen(app.handle, { host, port: config.port });
  const { keepsSettings = false } = options;
  const reload = createReload(platform, { settings, config, controlKeys, keepsSettings, log });
  platform.processes.onReload(() => void reload());
  // A fault of one request, or of the runtime, is no reason to end the others'.
  platform.processes.onUncaught((error) => {
    log.write("server", "error", "uncaught_error", { detail: traceOf(error) });
  });
  log.write("server", "info", "listening", {
    host,
    port: listener.port,
    version: config.version,
    runtime: `${platform.runtime.name} ${platform.runtime.version}`,
    pid: platform.processes.pid,
  });
  // Beside the start, not in it: whoever waits for /health waits for nothing else.
  setTimeout(() => {
    platform.preload();
    app.warm();
    // What loading leaves behind is given back as after any other work.
    setTimeout(memory.active, WARM_WITHIN_MS);
  }, WARM_AFTER_MS);
  return {
    port: listener.port,
    log,
    stop(insisted) {
      memory.stop();
      return drain(platform, { listener, app, log }, insisted);
    },
  };
}

async function upstreamOf(
  platform: Platform,
  settings: Settings,
  config: ProxyConfig,
): Promise<Pick<AppDeps, "fetch" | "session" | "renewApart">> {
  if (settings.demo) {
    const { createDemoFetch, demoSession } = await import("../demo/index.ts");
    return { fetch: createDemoFetch(platform.clock, newId), session: demoSession };
  }
  return {
    fetch: platform.createFetch(config.network),
    async renewApart(task, onLocked) {
      const { createRenewApart } = await import("./renew-login.ts");
      return createRenewApart(platform, config, stateFolder(platform.homeDir))(task, onLocked);
    },
  };
}

/** Without keys the server is open to this machine, and one key would close it. */
async function controlKeysOf({ config, controlKey }: ServeOptions): Promise<ClientKey[]> {
  if (controlKey === undefined || config.apiKeys.length === 0) return [];
  return (await hashKeys([controlKey])).map(({ sha256 }) => ({ label: CONTROL_LABEL, sha256 }));
}

function createLog(platform: Platform, { settings, logTo }: ServeOptions): LogSink {
  const writers = {
    file: () => createLogFile(platform.files, settings.log_file),
    stderr: () => (lines: string) => platform.writeAsync("stderr", lines),
    nowhere: () => async () => {},
  };
  return createLogSink({
    level: settings.log_level,
    format: settings.log_format,
    now: platform.clock.now,
    write: writers[logTo](),
  });
}

async function drain(
  { clock }: Platform,
  { listener, app, log }: { listener: Listener; app: App; log: LogSink },
  insisted: Promise<void> | undefined,
): Promise<void> {
  const closed = listener.close(DRAIN_MS);
  await (insisted ? Promise.race([closed, insisted]) : closed);
  // A refresh whose answer is lost loses the login.
  await Promise.race([app.settled(), clock.sleep(DRAIN_MS)]);
  log.write("server", "info", "stopped");
  await Promise.race([log.flush(), clock.sleep(FLUSH_MS)]);
}

const loadApi = () => import("../api.ts");

const newId = (): string => crypto.randomUUID().replaceAll("-", "");
