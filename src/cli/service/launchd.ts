import type { ServiceDefinition, ServiceFacts } from "./definition.ts";

const LABEL = "codex-api-proxy";

/** A launchd agent of the user, or a daemon of the machine. */
export function launchdService(facts: ServiceFacts): ServiceDefinition {
  const { system, homeDir, logFile } = facts;
  const folder = system ? "/Library/LaunchDaemons" : `${homeDir}/Library/LaunchAgents`;
  const path = `${folder}/${LABEL}.plist`;
  const unload = ["launchctl", "unload", "-w", path];
  return {
    path,
    text: plist(facts),
    folders: facts.writable,
    // What is loaded already is loaded anew.
    install: [["sh", "-c", 'launchctl unload "$1" 2>/dev/null; exec launchctl load -w "$1"', "sh", path]],
    uninstall: { before: [unload], after: [] },
    isRunning: ["sh", "-c", `launchctl list ${LABEL} >/dev/null 2>&1`],
    onFailure: `see ${logFile}`,
    notes: [],
    after: [`log: ${logFile}`],
  };
}

function plist({ command, environment, system, homeDir, logFile }: ServiceFacts): string {
  // launchd gives a daemon no home folder.
  const variables = { ...(system ? { HOME: homeDir } : {}), ...environment };
  const entries: [key: string, value: string][] = [
    ["Label", string(LABEL)],
    ["ProgramArguments", `<array>${command.map(string).join("")}</array>`],
    ["EnvironmentVariables", dictionary(Object.entries(variables).map(([name, value]) => [name, string(value)]))],
    ["RunAtLoad", "<true/>"],
    ["KeepAlive", dictionary([["SuccessfulExit", "<false/>"]])],
    ["ExitTimeOut", "<integer>20</integer>"],
    // 077 in decimal.
    ["Umask", "<integer>63</integer>"],
    ["ProcessType", string("Interactive")],
    ["StandardOutPath", string(logFile)],
    ["StandardErrorPath", string(logFile)],
    ...(system ? [["UserName", string(system.user)] as [string, string]] : []),
  ];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    "<dict>",
    ...entries.map(([key, value]) => `  <key>${key}</key>\n  ${value}`),
    "</dict>",
    "</plist>",
    "",
  ].join("\n");
}

const string = (text: string): string =>
  `<string>${text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")}</string>`;

const dictionary = (entries: readonly (readonly [string, string])[]): string =>
  `<dict>${entries.map(([key, value]) => `<key>${key}</key>${value}`).join("")}</dict>`;
