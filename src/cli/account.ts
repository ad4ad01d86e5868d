import type { ProxyConfig } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { resolveSettings } from "../config/settings.ts";
import type { Call, Command } from "./command.ts";
import { runLogin } from "./login.ts";
import { runLogout } from "./logout.ts";
import { runWhoami } from "./whoami.ts";

const settings = ["proxy"] as const;

export const login: Command = {
  name: "login",
  summary: "sign in and write the auth.json that Codex reads too",
  settings,
  flags: [
    { flag: "device", kind: "boolean", help: "sign in with a code, on a machine without a browser" },
    { flag: "with-api-key", kind: "boolean", help: "keep an OpenAI API key, read from standard input" },
  ],
  examples: [
    "codex-api-proxy login",
    "codex-api-proxy login --device",
    "printenv OPENAI_API_KEY | codex-api-proxy login --with-api-key",
  ],
  async run(call) {
    const options = { device: call.isSet("device"), withApiKey: call.isSet("with-api-key") };
    await runLogin(call.platform, await configOf(call), options);
    return 0;
  },
};

export const logout: Command = {
  name: "logout",
  summary: "revoke the login and delete auth.json, for Codex as well",
  settings,
  examples: ["codex-api-proxy logout"],
  async run(call) {
    await runLogout(call.platform, await configOf(call));
    return 0;
  },
};

export const whoami: Command = {
  name: "whoami",
  summary: "show account, plan and expiry of the login, never a token",
  settings,
  flags: [{ flag: "json", kind: "boolean", help: "as JSON" }],
  examples: ["codex-api-proxy whoami", "codex-api-proxy whoami --json"],
  async run(call) {
    await runWhoami(call.platform, await configOf(call), { json: call.isSet("json") });
    return 0;
  },
};

/** These commands listen to nobody, so the server's own settings do not matter to them. */
function configOf({ platform, given }: Call): Promise<ProxyConfig> {
  const { settings: all } = resolveSettings({ flags: given, env: platform.env, homeDir: platform.homeDir });
  return loadConfig({ ...all, host: "127.0.0.1", api_key: [], api_key_file: undefined }, platform);
}
