const LIMIT = "BUN_CONFIG_MAX_HTTP_REQUESTS";

/**
 * Lifts Bun's limit of 256 fetches at a time, beyond which streams wait for others to end. Bun reads the limit from its
 * environment before any script runs, so the process replaces its own image once: same pid, terminal and open files, about
 * 5 ms. Where that cannot be done (Windows) the limit stays.
 */
export function raiseFetchLimit(): void {
  if (process.env[LIMIT] !== undefined || process.platform === "win32") return;
  const env = { ...process.env, [LIMIT]: "65535" };
  // Newer than the Node types this is compiled with.
  const { execve } = process as { execve?: (file: string, args: string[], env: Record<string, unknown>) => never };
  try {
    execve?.(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], env);
  } catch {
    // A server with a limit is better than none.
  }
}
