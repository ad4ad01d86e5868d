import type { LogLevel } from "../config/config.ts";
import type { Log, LogSeverity } from "./log.ts";
import { toRedactedJson } from "./redact.ts";

const RANK: Readonly<Record<LogSeverity, number>> = { debug: 0, info: 1, warning: 2, error: 3 };
const ROOT = "codex_api_proxy";
/** Lines wait this long for others, so that a busy server writes some dozen times a second. */
const GATHER_MS = 25;
/** With a writer that cannot keep up, newer lines are dropped and counted rather than kept. */
const MAX_WAITING = 4 * 1024 * 1024;

export interface LogSinkOptions {
  level: LogLevel;
  readonly format: "text" | "json";
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Writes whole lines; a rejection loses them and nothing else. */
  readonly write: (lines: string) => Promise<void>;
}

/** A Log that can be waited for and whose level can be changed. */
export interface LogSink extends Log {
  setLevel(level: LogLevel): void;
  /** Resolves when every line so far has been written or lost; never rejects. */
  flush(): Promise<void>;
}

/**
 * Lines for people and programs: text `codex_api_proxy.latency {json}`, or json, one object a line. Writing is beside the
 * request: lines are gathered, written in turn, and a full disk costs only them.
 */
export function createLogSink(options: LogSinkOptions): LogSink {
  let rank = RANK[options.level];
  let waiting: string[] = [];
  let waitingChars = 0;
  let dropped = 0;
  let stamp = "";
  let stampedAt = Number.NaN;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> = Promise.resolve();

  function line(category: string, level: LogSeverity, event: string, fields: Record<string, unknown>): string {
    const now = options.now();
    if (now !== stampedAt) {
      stampedAt = now;
      stamp = new Date(now).toISOString();
    }
    const rest = toRedactedJson(fields);
    const tail = rest === "{}" ? "}\n" : `,${rest.slice(1)}\n`;
    const logger = `${ROOT}.${category}`;
    return options.format === "json"
      ? `{"ts":"${stamp}","level":"${level}","logger":"${logger}","event":"${event}"${tail}`
      : `${logger} {"ts":"${stamp}","level":"${level}","event":"${event}"${tail}`;
  }

  function writeOut(): Promise<void> {
    if (timer !== undefined) clearTimeout(timer);
    timer = undefined;
    if (dropped > 0) waiting.push(line("server", "warning", "log_lines_dropped", { count: dropped }));
    dropped = 0;
    const lines = waiting.join("");
    const size = waitingChars;
    waiting = [];
    if (lines === "") return writing;
    writing = writing
      .then(() => options.write(lines))
      .catch(() => {})
      .then(() => {
        waitingChars -= size;
      });
    return writing;
  }

  return {
    get debugEnabled() {
      return rank === 0;
    },
    write(category, severity, event, fields = {}) {
      if (RANK[severity] < rank) return;
      if (waitingChars > MAX_WAITING) {
        dropped++;
        return;
      }
      const text = line(category, severity, event, fields);
      waiting.push(text);
      waitingChars += text.length;
      timer ??= setTimeout(writeOut, GATHER_MS);
    },
    setLevel(level) {
      rank = RANK[level];
    },
    flush: writeOut,
  };
}
