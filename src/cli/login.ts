import type { ProxyConfig } from "../config/config.ts";
import type { AuthCallDeps } from "../credentials/auth-call.ts";
import type { IssuedTokens } from "../credentials/auth-file.ts";
import { readClaims } from "../credentials/claims.ts";
import { readCredentialStore } from "../credentials/keyring.ts";
import { loginInBrowser } from "../credentials/login-browser.ts";
import { loginByDevice } from "../credentials/login-device.ts";
import { apiKeyAuthFile, chatgptAuthFile, saveLogin } from "../credentials/new-login.ts";
import { ProxyError } from "../errors.ts";
import type { Platform } from "../platform.ts";

export interface LoginOptions {
  /** Sign in with a code that is entered on another machine. */
  readonly device?: boolean;
  /** Read an OpenAI API key from stdin instead. */
  readonly withApiKey?: boolean;
}

/**
 * `login`: writes the auth.json that Codex reads too.
 * @throws ProxyError when it fails; nothing is written then.
 */
export async function runLogin(platform: Platform, config: ProxyConfig, options: LoginOptions): Promise<void> {
  const say = (text: string) => platform.write("stdout", `${text}\n`);
  if (options.withApiKey === true) {
    await saveLogin(platform.files, config.codexHome, apiKeyAuthFile(await readApiKey(platform)));
    say(`API key saved to ${config.codexHome}/auth.json`);
  } else {
    const issued = await signIn(platform, config, options.device === true, say);
    const text = chatgptAuthFile(issued, config, platform.clock.now());
    await saveLogin(platform.files, config.codexHome, text);
    const who = readClaims(issued.idToken);
    const plan = who?.plan === undefined ? "" : ` (plan ${who.plan})`;
    say(
      `Signed in${who?.email === undefined ? "" : ` as ${who.email}`}${plan}; saved to ${config.codexHome}/auth.json`,
    );
  }
  await warnOfKeyring(platform, config);
}

function signIn(
  platform: Platform,
  config: ProxyConfig,
  device: boolean,
  say: (text: string) => void,
): Promise<Required<IssuedTokens>> {
  const deps: AuthCallDeps = { fetch: platform.createFetch(config.network), clock: platform.clock, config };
  if (device) {
    return loginByDevice(deps, ({ url, userCode }) => {
      say(`Open ${url} in any browser and enter this code within 15 minutes:\n\n  ${userCode}\n`);
      say("Enter it only if you have started this login yourself.");
    });
  }
  return loginInBrowser(deps, platform, (url) => {
    say(`Open this address in a browser on this machine to sign in:\n\n  ${url}\n`);
    say("Without a browser here: codex-api-proxy login --device");
  });
}

async function readApiKey(platform: Platform): Promise<string> {
  if (platform.stdin.isTerminal()) {
    platform.write("stderr", "Paste the API key, then press Enter and Ctrl-D:\n");
  }
  const key = (await platform.stdin.readText()).trim();
  if (key !== "" && !/[\s\p{Cc}]/u.test(key)) return key;
  const example = "printenv OPENAI_API_KEY | codex-api-proxy login --with-api-key";
  throw new ProxyError("invalid_request", `--with-api-key reads one API key from stdin: ${example}`);
}

/** With these settings Codex looks elsewhere first, or removes the file when it saves its own login. */
async function warnOfKeyring(platform: Platform, config: ProxyConfig): Promise<void> {
  const store = await readCredentialStore(platform.files, config.codexHome);
  if (store === undefined || store === "file") return;
  const text = `Codex is set to keep its login elsewhere (cli_auth_credentials_store = "${store}" in config.toml) and may remove this file; set it to "file" to share one login.`;
  platform.write("stderr", `WARNING: ${text}\n`);
}
