import type { GivenValues } from "../config/settings.ts";
import type { Platform } from "../platform.ts";
import { UsageError } from "./usage-error.ts";

/**
 * `--api-key -` replaced by the key on standard input, so that it stands on no command line.
 * @throws UsageError when there is none.
 */
export async function withStdinKey(platform: Platform, given: GivenValues): Promise<GivenValues> {
  const keys = given.api_key;
  if (!Array.isArray(keys) || !keys.includes("-")) return given;
  if (platform.stdin.isTerminal()) platform.write("stderr", "Type the key, then Enter and Ctrl-D:\n");
  const key = (await platform.stdin.readText()).trim();
  if (key === "") throw new UsageError("--api-key - reads the key from standard input, which is empty");
  return { ...given, api_key: keys.map((one) => (one === "-" ? key : one)) };
}
