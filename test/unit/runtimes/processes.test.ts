import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../runtimes/shared/clock.ts";
import { closeWithin } from "../../../runtimes/shared/close-within.ts";
import { fileStore } from "../../../runtimes/shared/files.ts";
import { toListenError } from "../../../runtimes/shared/listen-error.ts";
import { createProcesses } from "../../../runtimes/shared/processes.ts";

const processes = createProcesses([process.execPath, "-e"], {
  platform: process.platform,
  readText: fileStore.readText,
  environment: () => process.env,
});

describe("createProcesses", () => {
  test("startMark stays the same for a process and differs from another's", async () => {
    const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"]);
    try {
      const mark = await processes.startMark(child.pid ?? 0);
      expect(mark).toBeTypeOf("string");
      expect(await processes.startMark(child.pid ?? 0)).toBe(mark);
      expect(await processes.startMark(process.pid)).not.toBe(mark);
      expect(processes.isAlive(child.pid ?? 0)).toBe(true);
    } finally {
      child.kill("SIGKILL");
    }
    await new Promise((resolve) => child.once("close", resolve));
    expect(processes.isAlive(child.pid ?? 0)).toBe(false);
    expect(await processes.startMark(child.pid ?? 0)).toBeUndefined();
  });

  test("spawnDetached starts this program again with the given environment, both outputs in a private file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "processes-"));
    const logPath = join(folder, "log");
    const args = ["console.log(process.env.MARK, process.env.HOME); console.error('err')"];
    const pid = await processes.spawnDetached({ args, env: { MARK: "m1", PATH: process.env.PATH }, logPath });
    expect(pid).toBeGreaterThan(0);
    await expect.poll(() => readFileSync(logPath, "utf8").split("\n").sort().join()).toBe(",err,m1 undefined");
    expect(statSync(logPath).mode & 0o777).toBe(0o600);
    rmSync(folder, { recursive: true });
  });

  test("run gives the exit code, of a signal as a shell does; a missing program rejects", async () => {
    const env = { PATH: process.env.PATH };
    expect(await processes.run(process.execPath, ["-e", "process.exit(7)"], env)).toBe(7);
    expect(await processes.run(process.execPath, ["-e", "process.kill(process.pid, 'SIGTERM')"], env)).toBe(143);
    await expect(processes.run("/no/such/program", [], env)).rejects.toThrow("ENOENT");
  });

  test.each(["SIGTERM", "SIGHUP"] as const)(
    "run passes %s on to the program, and to nobody after it",
    async (signal) => {
      const before = process.listenerCount(signal);
      const script = `process.on("${signal}", () => process.exit(9)); setInterval(() => {}, 1000)`;
      const ended = processes.run(process.execPath, ["-e", script], { PATH: process.env.PATH });
      // The program may not listen yet: then the signal itself ends it.
      process.emit(signal, signal);
      expect([9, 128 + constants.signals[signal]]).toContain(await ended);
      expect(process.listenerCount(signal)).toBe(before);
    },
  );

  test("onShutdown calls back at each signal", async () => {
    let calls = 0;
    processes.onShutdown(() => {
      calls += 1;
    });
    process.emit("SIGTERM");
    process.emit("SIGINT");
    expect(calls).toBe(2);
  });
});

describe("systemClock", () => {
  test("sleep rejects with the signal's reason, before and during", async () => {
    const reason = new Error("left");
    await expect(systemClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const control = new AbortController();
    const sleeping = systemClock.sleep(60_000, control.signal);
    control.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
  });
});

describe("closeWithin", () => {
  test("does not cut what closes in time", async () => {
    let cuts = 0;
    await closeWithin(
      async () => {},
      () => cuts++,
      60_000,
    );
    expect(cuts).toBe(0);
  });

  test("cuts at the deadline", async () => {
    let cuts = 0;
    await closeWithin(
      () => new Promise(() => {}),
      () => cuts++,
      1,
    );
    expect(cuts).toBe(1);
  });
});

test.each([
  [{ code: "EADDRINUSE" }, "EADDRINUSE", "port 80 on ::1 is already in use"],
  [{ name: "AddrInUse" }, "EADDRINUSE", "port 80 on ::1 is already in use"],
  [{ name: "PermissionDenied" }, "EACCES", "no permission to listen on ::1 port 80"],
  [{ code: "EWHATEVER" }, "EWHATEVER", "cannot listen on ::1 port 80 (EWHATEVER)"],
])("toListenError of %j", (error, code, message) => {
  const mapped = toListenError(Object.assign(new Error("system"), error), { host: "::1", port: 80 });
  expect(mapped.code).toBe(code);
  expect(mapped.message).toContain(message);
});
