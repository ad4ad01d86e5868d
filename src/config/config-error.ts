/** A setting that cannot be used. The message names the option and what is allowed; the CLI ends with exit code 2. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}
