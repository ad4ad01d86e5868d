import type { Platform } from "../../platform.ts";

/** Tells the service manager how the server is. */
export interface ServiceNotifier {
  ready(): void;
  stopping(): void;
}

/**
 * systemd's protocol of readiness and watchdog (sd_notify(3)) by `systemd-notify`: its socket takes datagrams, which no runtime sends
 * on a Unix socket by itself. Does nothing where nobody listens.
 */
export function createServiceNotifier({ env, environment, processes }: Platform): ServiceNotifier {
  const told = env("NOTIFY_SOCKET") ? send : () => {};
  let watchdog: ReturnType<typeof setInterval> | undefined;
  return {
    ready() {
      told("READY=1");
      const every = Number(env("WATCHDOG_USEC") ?? 0) / 1000;
      if (every > 0 && env("NOTIFY_SOCKET")) watchdog = setInterval(() => told("WATCHDOG=1"), every / 3);
    },
    stopping() {
      clearInterval(watchdog);
      told("STOPPING=1");
    },
  };

  function send(state: string): void {
    // Without that program the manager waits in vain, and says so itself.
    processes.run("systemd-notify", [state], environment()).catch(() => {});
  }
}
