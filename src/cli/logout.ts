import type { ProxyConfig } from "../config/config.ts";
import { parseAuthFile } from "../credentials/auth-file.ts";
import { overridingLogin } from "../credentials/environment.ts";
import { revokeToken } from "../credentials/revoke.ts";
import type { Platform } from "../platform.ts";

/** `logout`: revokes the login, then removes auth.json, for Codex as well. */
export async function runLogout(platform: Platform, config: ProxyConfig): Promise<void> {
  const { files } = platform;
  const path = `${config.codexHome}/auth.json`;
  if ((await files.stat(path)) === undefined) {
    platform.write("stdout", "not signed in: there is no auth.json in CODEX_HOME\n");
  } else {
    await files.withLock(path, async () => {
      await revokeLogin(platform, config, await files.readText(path));
      await files.remove(path);
    });
    platform.write("stdout", `Signed out; removed ${path}\n`);
  }
  const override = overridingLogin((name) => platform.env(name));
  if (override !== undefined) {
    platform.write("stderr", `WARNING: ${override.variable} is set and goes on being used; unset it to stop that\n`);
  }
}

async function revokeLogin(platform: Platform, config: ProxyConfig, text: string | undefined): Promise<void> {
  const refreshToken = refreshTokenIn(text);
  if (refreshToken === undefined) return;
  const deps = { fetch: platform.createFetch(config.network), clock: platform.clock, config };
  if (await revokeToken(deps, refreshToken)) return;
  platform.write("stderr", "WARNING: the login could not be revoked at OpenAI; it is removed from this machine only\n");
}

/** A file that cannot be read as a login is removed all the same. */
function refreshTokenIn(text: string | undefined): string | undefined {
  try {
    const login = text === undefined ? undefined : parseAuthFile(text);
    return login?.mode === "chatgpt" ? login.refreshToken : undefined;
  } catch {
    return undefined;
  }
}
