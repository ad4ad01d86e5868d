import { describe, expect, it } from "vitest";
import { createLogFile } from "../../../src/observability/log-file.ts";
import { createLogSink } from "../../../src/observability/log-sink.ts";
import { memoryFiles, systemError } from "../credentials/support/memory-files.ts";

const TIME = Date.parse("2026-11-22T12:00:00Z");

function sink(options: Partial<Parameters<typeof createLogSink>[0]> = {}) {
  const lines: string[] = [];
  const log = createLogSink({
    level: "info",
    format: "text",
    now: () => TIME,
    write: async (text) => void lines.push(text),
    ...options,
  });
  return { log, lines };
}

describe("the log", () => {
  it("writes the original's text form", async () => {
    const { log, lines } = sink();
    log.write("latency", "info", "chat_completion_latency", { request_id: "r", total_ms: 5 });
    await log.flush();
    expect(lines).toEqual([
      'codex_api_proxy.latency {"ts":"2026-11-22T12:00:00.000Z","level":"info","event":"chat_completion_latency","request_id":"r","total_ms":5}\n',
    ]);
  });

  it("writes one JSON object a line with ts and event", async () => {
    const { log, lines } = sink({ format: "json" });
    log.write("access", "warning", "request", { message: "two\nlines" });
    await log.flush();
    expect(lines[0]?.split("\n")).toHaveLength(2);
    expect(JSON.parse(lines[0] as string)).toEqual({
      ts: "2026-11-22T12:00:00.000Z",
      level: "warning",
      logger: "codex_api_proxy.access",
      event: "request",
      message: "two\nlines",
    });
  });

  it("leaves out what is below its level, which can be changed", async () => {
    const { log, lines } = sink({ level: "warning" });
    log.write("server", "info", "a");
    expect(log.debugEnabled).toBe(false);
    log.setLevel("debug");
    expect(log.debugEnabled).toBe(true);
    log.write("server", "debug", "b");
    await log.flush();
    expect(lines.join("")).not.toContain('"a"');
    expect(lines.join("")).toContain('"b"');
  });

  it("survives a writer that fails, and goes on when it works again", async () => {
    let full = true;
    const lines: string[] = [];
    const { log } = sink({
      write: async (text) => {
        if (full) throw systemError("ENOSPC");
        lines.push(text);
      },
    });
    log.write("server", "info", "lost");
    await log.flush();
    full = false;
    log.write("server", "info", "kept");
    await log.flush();
    expect(lines.join("")).toContain("kept");
    expect(lines.join("")).not.toContain("lost");
  });

  it("drops lines rather than growing without bounds while its writer hangs", async () => {
    let release = (): void => {};
    const hanging = new Promise<void>((resolve) => {
      release = resolve;
    });
    const lines: string[] = [];
    const { log } = sink({
      write: async (text) => {
        await hanging;
        lines.push(text);
      },
    });
    const megabyte = "x".repeat(1024 * 1024);
    for (let count = 0; count < 8; count++) log.write("server", "info", "big", { megabyte });
    const flushed = log.flush();
    release();
    await flushed;
    await log.flush();
    const written = lines.join("");
    expect(written.length).toBeLessThan(5 * 1024 * 1024);
    expect(/"event":"log_lines_dropped","count":(\d+)/.exec(written)?.[1]).toBe("4");
  });
});

describe("the log file", () => {
  it("is private, and set aside by size", async () => {
    const files = memoryFiles();
    const write = createLogFile(files, "/log", { maxBytes: 10, keep: 2 });
    for (const text of ["aaaaaa\n", "bbbbbb\n", "cccccc\n", "dddddd\n"]) await write(text);
    expect(files.get("/log")).toBe("dddddd\n");
    expect(files.get("/log.1")).toBe("cccccc\n");
    expect(files.get("/log.2")).toBe("bbbbbb\n");
    expect(files.get("/log.3")).toBeUndefined();
    expect(files.modes.get("/log")).toBe(0o600);
  });

  it("goes on with a file that is there", async () => {
    const files = memoryFiles();
    files.put("/log", "12345678\n");
    await createLogFile(files, "/log", { maxBytes: 10, keep: 1 })("new\n");
    expect(files.get("/log")).toBe("new\n");
    expect(files.get("/log.1")).toBe("12345678\n");
  });
});
