/** Loggers of the original keep their names: `codex_api_proxy.latency`, `codex_api_proxy.messages`. */
export type LogCategory = "access" | "latency" | "messages" | "server" | "credentials" | "upstream" | "quota";
export type LogSeverity = "debug" | "info" | "warning" | "error";

/**
 * Structured log. `event` is a snake_case name, `fields` plain JSON; secrets are redacted by the sink.
 * Logging never throws and never blocks a request.
 */
export interface Log {
  write(category: LogCategory, severity: LogSeverity, event: string, fields?: Record<string, unknown>): void;
  /** True when debug lines are wanted, so that costly fields are built only then. */
  readonly debugEnabled: boolean;
}

/** Discards everything. */
export const silentLog: Log = { write() {}, debugEnabled: false };
