import type { Platform } from "../../platform.ts";
import type { ServiceDefinition, ServiceFacts } from "./definition.ts";

const UNIT = "codex-api-proxy.service";
/** Without a sign of life for so long the server is started anew. */
const WATCHDOG_SECONDS = 90;

/** A systemd unit, for the user's own manager or for the machine's. */
export async function systemdService(
  { env, files }: Pick<Platform, "env" | "files">,
  facts: ServiceFacts,
): Promise<ServiceDefinition> {
  const { system, homeDir } = facts;
  const folder = system
    ? "/etc/systemd/system"
    : `${env("XDG_CONFIG_HOME")?.trim() || `${homeDir}/.config`}/systemd/user`;
  const scope = system ? [] : ["--user"];
  const control = (...args: string[]): string[] => ["systemctl", ...scope, ...args];
  const sandboxed = system !== undefined || (await canSandbox(files));
  return {
    path: `${folder}/${UNIT}`,
    text: unitText(facts, sandboxed),
    folders: facts.writable,
    install: [control("daemon-reload"), control("enable", UNIT), control("restart", UNIT)],
    uninstall: { before: [control("disable", "--now", UNIT)], after: [control("daemon-reload")] },
    isRunning: control("is-active", "--quiet", UNIT),
    onFailure: `see journalctl ${[...scope, "-u", UNIT].join(" ")}`,
    notes: sandboxed
      ? []
      : [
          "this system lets no user make namespaces, so the unit does without ProtectSystem and its kin; --system has them all",
        ],
    after: [
      `log: journalctl ${[...scope, "-u", UNIT, "-f"].join(" ")}`,
      ...(system ? [] : ["to keep it running while you are not logged in: loginctl enable-linger"]),
    ],
  };
}

/**
 * `Type=notify`: the server tells by `systemd-notify`, which is part of systemd, when it listens, and shows signs of life. `start` then waits
 * until it answers, and a hanging server is started anew. NotifyAccess=all, since the telling process is a child.
 */
function unitText(facts: ServiceFacts, sandboxed: boolean): string {
  const { command, environment, system, writable } = facts;
  const lines = [
    "[Unit]",
    "Description=codex-api-proxy, a local API server on the user's Codex login",
    "Documentation=https://www.npmjs.com/package/codex-api-proxy",
    ...(system ? ["After=network-online.target", "Wants=network-online.target"] : []),
    "StartLimitIntervalSec=60",
    "StartLimitBurst=5",
    "",
    "[Service]",
    "Type=notify",
    "NotifyAccess=all",
    `WatchdogSec=${WATCHDOG_SECONDS}`,
    ...(system ? [`User=${system.user}`] : []),
    `ExecStart=${command.map(quoteArgument).join(" ")}`,
    "ExecReload=/bin/kill -HUP $MAINPID",
    ...Object.entries(environment).map(([name, value]) => `Environment=${quoteValue(`${name}=${value}`)}`),
    "Restart=on-failure",
    "RestartSec=2",
    // A wrong setting is not mended by trying again.
    "RestartPreventExitStatus=2",
    // Open requests have ten seconds to end.
    "TimeoutStopSec=20",
    "UMask=0077",
    "",
    "# Hardening: the server needs the network and the two folders below, and nothing else.",
    ...hardening(system !== undefined, sandboxed, writable),
    "",
    "[Install]",
    `WantedBy=${system ? "multi-user.target" : "default.target"}`,
  ];
  return `${lines.join("\n")}\n`;
}

function hardening(forSystem: boolean, sandboxed: boolean, writable: readonly string[]): string[] {
  // Compilers of JavaScript write code, so MemoryDenyWriteExecute cannot be had.
  const always = [
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
    "SystemCallArchitectures=native",
  ];
  if (!sandboxed) return always;
  const namespaces = [
    "ProtectSystem=strict",
    "ProtectHome=read-only",
    // auth.json is renewed in its folder by a temporary file and a rename.
    ...writable.map((folder) => `ReadWritePaths=${quoteValue(`-${folder}`)}`),
    "PrivateTmp=yes",
    "ProtectKernelTunables=yes",
    "ProtectControlGroups=yes",
    "RestrictNamespaces=yes",
  ];
  const rootOnly = [
    "PrivateDevices=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "CapabilityBoundingSet=",
  ];
  return [...always, ...namespaces, ...(forSystem ? rootOnly : [])];
}

/** Whether a user's own manager may make the namespaces that ProtectSystem needs. */
async function canSandbox(files: Platform["files"]): Promise<boolean> {
  const read = async (path: string) => (await files.readText(path).catch(() => undefined))?.trim();
  return (
    (await read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")) !== "1" &&
    (await read("/proc/sys/kernel/unprivileged_userns_clone")) !== "0" &&
    (await read("/proc/sys/user/max_user_namespaces")) !== "0"
  );
}

/** A word of ExecStart, where `$` has a meaning beside `%`. */
function quoteArgument(word: string): string {
  const escaped = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[\w@%+=:,./$-]+$/.test(escaped) ? escaped : quoted(escaped);
}

function quoteValue(value: string): string {
  const escaped = value.replaceAll("%", "%%");
  return /^[\w@%+=:,./-]+$/.test(escaped) ? escaped : quoted(escaped);
}

const quoted = (text: string): string => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
