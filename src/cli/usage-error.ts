/** The command line cannot be understood; the CLI ends with exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
