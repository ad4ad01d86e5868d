import { ConfigError } from "../config/config-error.ts";
import { ProxyError } from "../errors.ts";
import { redactText } from "../observability/redact.ts";
import { UsageError } from "./usage-error.ts";

/** A thrown value as a line for a person, and the exit code: 2 for what the user wrote, 1 for what went wrong. */
export function explain(error: unknown): { message: string; exitCode: number } {
  const exitCode = error instanceof UsageError || error instanceof ConfigError ? 2 : 1;
  if (error instanceof ProxyError || exitCode === 2) return { message: (error as Error).message, exitCode };
  return { message: redactText(systemMessage(error)), exitCode };
}

/** File errors carry a code and a path; their own text repeats both beside a system call's name. */
function systemMessage(error: unknown): string {
  const { code, path, message } = (error ?? {}) as { code?: unknown; path?: unknown; message?: unknown };
  const place = typeof path === "string" ? ` ${path}` : "";
  if (code === "EACCES" || code === "EPERM") {
    return `no permission for${place || " a file"}; check its owner and mode, or choose another place`;
  }
  if (code === "EROFS") return `the file system of${place || " a file"} is read-only`;
  if (code === "ENOSPC") return `the disk is full${place && `: ${place.trim()}`}`;
  return typeof message === "string" && message !== "" ? message : String(error);
}
