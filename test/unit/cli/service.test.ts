import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import type { Call } from "../../../src/cli/command.ts";
import { createServiceNotifier } from "../../../src/cli/service/notify.ts";
import { service } from "../../../src/cli/service.ts";
import type { Platform } from "../../../src/platform.ts";
import { type MemoryFiles, memoryFiles } from "../credentials/support/memory-files.ts";

interface Fake {
  readonly platform: Platform;
  readonly files: MemoryFiles;
  readonly out: { stdout: string; stderr: string };
  readonly ran: string[];
  /** Commands that fail, by a part of their line. */
  readonly failing: Set<string>;
  readonly folders: string[];
}

function fake(os: string, variables: Record<string, string> = {}): Fake {
  const files = memoryFiles();
  const out = { stdout: "", stderr: "" };
  const ran: string[] = [];
  const failing = new Set<string>();
  const folders: string[] = [];
  const env: Record<string, string> = { USER: "ann", PWD: "/home/ann/work", ...variables };
  const platform = {
    os: { platform: os, arch: "x64" },
    homeDir: "/home/ann",
    scriptPath: "/opt/codex-api-proxy/dist/node.js",
    commandLine: ["/usr/bin/node", "/opt/codex-api-proxy/dist/node.js"],
    env: (name: string) => env[name],
    environment: () => env,
    files: { ...files, makeDir: async (path: string) => void folders.push(path) },
    stdin: { isTerminal: () => false, readText: async () => "" },
    write(stream: "stdout" | "stderr", text: string) {
      out[stream] += text;
    },
    processes: {
      isAlive: () => true,
      startMark: async () => "mark",
      async run(program: string, args: readonly string[]) {
        const line = [program, ...args].join(" ");
        ran.push(line);
        return [...failing].some((part) => line.includes(part)) ? 1 : 0;
      },
    },
  } as unknown as Platform;
  return { platform, files, out, ran, failing, folders };
}

function call({ platform }: Fake, operands: string[], given: Call["given"] = {}, system = false): Promise<number> {
  return service.run({
    platform,
    given,
    isSet: (flag) => flag === "system" && system,
    text: () => undefined,
    list: () => [],
    operands,
    rest: undefined,
  });
}

const USER_UNIT = "/home/ann/.config/systemd/user/codex-api-proxy.service";

describe("service print", () => {
  it("is a hardened systemd unit of the user in which two folders are writable", async () => {
    const one = fake("linux");
    expect(await call(one, ["print"])).toBe(0);
    const lines = one.out.stdout.split("\n");
    expect(lines).toContain("Type=notify");
    expect(lines).toContain("ExecStart=/usr/bin/node /opt/codex-api-proxy/dist/node.js");
    expect(lines).toContain("ProtectSystem=strict");
    expect(lines).toContain("ProtectHome=read-only");
    expect(lines).toContain("NoNewPrivileges=yes");
    expect(lines.filter((line) => line.startsWith("ReadWritePaths="))).toEqual([
      "ReadWritePaths=-/home/ann/.codex",
      "ReadWritePaths=-/home/ann/.codex-api-proxy",
    ]);
    expect(lines).toContain("WantedBy=default.target");
    expect(one.out.stdout).not.toContain("User=");
  });

  it("carries the settings that were given, keys as hashes and paths as absolute ones", async () => {
    const one = fake("linux", { CODEX_HOME: "/data/codex", CODEX_PROXY_LOG_FORMAT: "json" });
    one.files.put("/home/ann/work/keys.txt", "secret");
    await call(one, ["print"], { port: "9000", api_key: ["very-secret"], log_file: "logs/p.log" });
    const lines = one.out.stdout.split("\n");
    expect(lines).toContain("Environment=CODEX_PROXY_PORT=9000");
    expect(lines).toContain("Environment=CODEX_PROXY_LOG_FORMAT=json");
    expect(lines).toContain("Environment=CODEX_PROXY_LOG_FILE=/home/ann/work/logs/p.log");
    expect(lines).toContain("Environment=CODEX_HOME=/data/codex");
    expect(lines).toContain("ReadWritePaths=-/data/codex");
    expect(lines).toContain("ReadWritePaths=-/home/ann/work/logs");
    expect(one.out.stdout).toMatch(/CODEX_PROXY_API_KEY=sha256:[0-9a-f]{64}/);
    expect(one.out.stdout).not.toContain("very-secret");
    expect(one.out.stdout).not.toContain("CODEX_PROXY_HOST");
  });

  it("quotes what systemd would read otherwise", async () => {
    const one = fake("linux", { CODEX_API_PROXY_USER_AGENT: 'my "agent" 100%' });
    await call({ ...one, platform: { ...one.platform, commandLine: ["/opt/my node", "/opt/$x/50%.js"] } }, ["print"]);
    expect(one.out.stdout).toContain('ExecStart="/opt/my node" /opt/$$x/50%%.js\n');
    expect(one.out.stdout).toContain('Environment="CODEX_API_PROXY_USER_AGENT=my \\"agent\\" 100%%"\n');
  });

  it("leaves out what needs namespaces where users may make none, and says so", async () => {
    const one = fake("linux");
    one.files.put("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
    await call(one, ["print"]);
    expect(one.out.stdout).not.toContain("ProtectSystem");
    expect(one.out.stdout).toContain("NoNewPrivileges=yes");
    expect(one.out.stderr).toContain("--system");
    const forSystem = fake("linux");
    forSystem.files.put("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
    await call(forSystem, ["print"], {}, true);
    expect(forSystem.out.stdout).toContain("ProtectSystem=strict");
  });

  it("runs a system service as the user who called sudo, with that user's folders", async () => {
    const one = fake("linux", { USER: "root", SUDO_USER: "ann" });
    one.files.put("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000:Ann:/home/ann:/bin/sh\n");
    await call({ ...one, platform: { ...one.platform, homeDir: "/root" } }, ["print"], {}, true);
    expect(one.out.stdout).toContain("\nUser=ann\n");
    expect(one.out.stdout).toContain("ReadWritePaths=-/home/ann/.codex\nReadWritePaths=-/home/ann/.codex-api-proxy\n");
    expect(one.out.stdout).toContain("WantedBy=multi-user.target");
  });

  it("is a property list on macOS", async () => {
    const one = fake("darwin", { CODEX_API_PROXY_USER_AGENT: "a<b>&c" });
    await call(one, ["print"], { port: "9000" });
    expect(one.out.stdout).toContain(
      "<array><string>/usr/bin/node</string><string>/opt/codex-api-proxy/dist/node.js</string></array>",
    );
    expect(one.out.stdout).toContain("<key>CODEX_PROXY_PORT</key><string>9000</string>");
    expect(one.out.stdout).toContain("<string>a&lt;b&gt;&amp;c</string>");
    expect(one.out.stdout).not.toContain("UserName");
  });

  it.runIf(spawnSync("python3", ["-c", ""]).status === 0)("is a property list that a parser reads", async () => {
    const one = fake("darwin", { CODEX_API_PROXY_USER_AGENT: 'a<b>&"c"' });
    await call(one, ["print"], { port: "9000" });
    const script = "import plistlib, json, sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))";
    const { stdout, stderr } = spawnSync("python3", ["-c", script], { input: one.out.stdout, encoding: "utf8" });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({
      Label: "codex-api-proxy",
      ProgramArguments: ["/usr/bin/node", "/opt/codex-api-proxy/dist/node.js"],
      EnvironmentVariables: { CODEX_PROXY_PORT: "9000", CODEX_API_PROXY_USER_AGENT: 'a<b>&"c"' },
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
      ExitTimeOut: 20,
      Umask: 0o077,
      ProcessType: "Interactive",
      StandardOutPath: "/home/ann/.codex-api-proxy/codex-api-proxy.log",
      StandardErrorPath: "/home/ann/.codex-api-proxy/codex-api-proxy.log",
    });
  });

  it("keeps a login that is only in a variable out of the file and says how to keep it", async () => {
    const one = fake("linux", { OPENAI_API_KEY: "sk-very-secret" });
    await call(one, ["print"]);
    expect(one.out.stdout + one.out.stderr).not.toContain("sk-very-secret");
    expect(one.out.stderr).toContain("login --with-api-key");
  });

  it.each([
    [{ api_key: ["a", "b"] }, "--api-key-file"],
    [{ host: "0.0.0.0" }, "exposes codex-api-proxy"],
  ])("refuses %o", async (given, text) => {
    await expect(call(fake("linux"), ["print"], given)).rejects.toThrow(text);
  });

  it("is refused on other systems and without an action", async () => {
    await expect(call(fake("win32"), ["print"])).rejects.toThrow("win32");
    await expect(call(fake("linux"), [])).rejects.toThrow("install, uninstall, print");
    await expect(call(fake("linux"), ["toString"])).rejects.toThrow("install, uninstall, print");
  });
});

describe("service install and uninstall", () => {
  it("writes the unit privately, makes its folders, starts it", async () => {
    const one = fake("linux");
    one.failing.add("is-active");
    expect(await call(one, ["install"])).toBe(0);
    expect(one.files.modes.get(USER_UNIT)).toBe(0o600);
    expect(one.folders).toContain("/home/ann/.codex-api-proxy");
    expect(one.ran).toEqual([
      "systemctl --user daemon-reload",
      "systemctl --user enable codex-api-proxy.service",
      "systemctl --user restart codex-api-proxy.service",
    ]);
    expect(one.out.stdout).toContain("loginctl enable-linger");
  });

  it("tells where to look when it does not start", async () => {
    const one = fake("linux");
    one.failing.add("restart");
    expect(await call(one, ["install"])).toBe(1);
    expect(one.out.stderr).toContain("journalctl --user -u codex-api-proxy.service");
  });

  it("leaves a server alone that was started otherwise", async () => {
    const one = fake("linux");
    one.files.put("/home/ann/.codex-api-proxy/codex-api-proxy.pid", "77\n");
    const record = { pid: 77, start_mark: "mark", host: "127.0.0.1", port: 8765 };
    one.files.put("/home/ann/.codex-api-proxy/codex-api-proxy.pid.json", JSON.stringify(record));
    one.failing.add("is-active");
    expect(await call(one, ["install"])).toBe(1);
    expect(one.files.get(USER_UNIT)).toBeUndefined();
    expect(one.out.stderr).toContain("codex-api-proxy stop");
    one.failing.clear();
    expect(await call(one, ["install"])).toBe(0);
  });

  it("removes it, also when the manager has forgotten it; twice is no error", async () => {
    const one = fake("linux");
    await call(one, ["install"]);
    one.failing.add("disable");
    expect(await call(one, ["uninstall"])).toBe(0);
    expect(one.files.get(USER_UNIT)).toBeUndefined();
    expect(one.ran.slice(-2)).toEqual([
      "systemctl --user disable --now codex-api-proxy.service",
      "systemctl --user daemon-reload",
    ]);
    expect(await call(one, ["uninstall"])).toBe(0);
    expect(one.out.stdout).toContain("no service is installed");
  });
});

describe("createServiceNotifier", () => {
  it("says nothing where nobody listens", () => {
    const one = fake("linux", { WATCHDOG_USEC: "90000000" });
    const notifier = createServiceNotifier(one.platform);
    notifier.ready();
    notifier.stopping();
    expect(one.ran).toEqual([]);
  });

  it("tells readiness and the end", () => {
    const one = fake("linux", { NOTIFY_SOCKET: "/run/notify" });
    const notifier = createServiceNotifier(one.platform);
    notifier.ready();
    notifier.stopping();
    expect(one.ran).toEqual(["systemd-notify READY=1", "systemd-notify STOPPING=1"]);
  });
});
