import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ROOT, runtimes } from "../support/runtimes.ts";
import { cleanEnvironment, freePort } from "../support/server.ts";

const folder = mkdtempSync(join(tmpdir(), "codex-api-proxy-service-"));
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));

const isHere = (program: string): boolean => spawnSync(program, ["--version"]).error === undefined;
const scopes = isHere("systemd-analyze") ? (["user", "system"] as const) : [];
const notified = isHere("systemd-notify") && isHere("python3") ? runtimes : [];

describe.each(scopes)("the unit of the %s's manager", (scope) => {
  it.each(runtimes)("has nothing that systemd objects to, on $name", (runtime) => {
    const more = ["--port", "9000", "--api-key", "key", "--model-alias", "a b=100%", "--log-format", "json"];
    const args = ["service", "print", ...(scope === "system" ? ["--system"] : []), ...more];
    const [file, ...rest] = runtime.command(join(ROOT, "dist", runtime.entry), args);
    const env = { ...cleanEnvironment(folder, join(folder, ".codex")), USER: userInfo().username } as NodeJS.ProcessEnv;
    const unit = join(folder, "codex-api-proxy.service");
    writeFileSync(unit, execFileSync(file, rest, { env, encoding: "utf8", stdio: "pipe" }));
    const own = { PATH: process.env.PATH, HOME: folder, XDG_RUNTIME_DIR: folder };
    const manager = scope === "user" ? ["--user"] : [];
    const { status, stdout, stderr } = spawnSync("systemd-analyze", [...manager, "verify", unit], {
      env: own,
      encoding: "utf8",
    });
    expect([status, stdout, stderr]).toEqual([0, "", ""]);
  });
});

/** A service manager's end of sd_notify(3): prints what it is told until it is told that the service stops. */
const MANAGER = `
import os, signal, socket, subprocess, sys
path = sys.argv[1]
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(path)
manager.settimeout(20)
child = subprocess.Popen(sys.argv[2:], env={**os.environ, "NOTIFY_SOCKET": path, "WATCHDOG_USEC": "600000"},
  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
told = []
while "STOPPING=1" not in told:
  said = manager.recv(4096).decode()
  if said in ("READY=1", "WATCHDOG=1", "STOPPING=1"): told.append(said)
  if told.count("WATCHDOG=1") == 2 and said == "WATCHDOG=1": child.send_signal(signal.SIGTERM)
print(" ".join(dict.fromkeys(told)), child.wait(20))
`;

describe.each(notified)("a service manager of Type=notify, on $name", (runtime) => {
  it("is told that the server is ready, alive and stopping", async () => {
    const port = await freePort();
    const env = {
      ...cleanEnvironment(folder, join(folder, ".codex")),
      CODEX_PROXY_DEMO: "1",
      CODEX_PROXY_PORT: String(port),
    } as NodeJS.ProcessEnv;
    const command = runtime.command(join(ROOT, "dist", runtime.entry));
    const args = ["-c", MANAGER, join(folder, `${runtime.name}.socket`), ...command];
    const told = await new Promise<string>((resolve, reject) => {
      execFile("python3", args, { env, timeout: 50_000 }, (error, stdout, stderr) =>
        error ? reject(new Error(stderr)) : resolve(stdout),
      );
    });
    expect(told).toBe("READY=1 WATCHDOG=1 STOPPING=1 0\n");
  });
});
