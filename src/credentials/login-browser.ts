import { ProxyError } from "../errors.ts";
import type { Handler, Listener, Platform } from "../platform.ts";
import type { AuthCallDeps } from "./auth-call.ts";
import type { IssuedTokens } from "./auth-file.ts";
import { DeadlineError, withDeadline } from "./deadline.ts";
import { exchangeCode } from "./exchange-code.ts";
import { createLoginCallback } from "./login-callback.ts";
import { challengeOf, randomText } from "./random-text.ts";

/** Loopback ports that the OAuth client is registered for, in the order in which Codex tries them. */
const PORT = 1455;
const SECOND_PORT = 1457;
const SCOPE = "openid profile email offline_access api.connectors.read api.connectors.invoke";
const VALID_MS = 15 * 60_000;
const FREE_AGAIN_TRIES = 10;
const FREE_AGAIN_PAUSE_MS = 200;
/** Time for the last page to reach the browser. */
const LAST_PAGE_MS = 2_000;

/**
 * Signs in through the browser: authorization code with PKCE, received on a loopback port.
 * @param show Gets the address to open, always; the browser is opened too where there is one.
 * @throws ProxyError `credentials` or `cancelled` when it fails, both ports are taken, or 15 minutes have passed.
 */
export async function loginInBrowser(
  deps: AuthCallDeps,
  platform: Pick<Platform, "listen" | "createFetch" | "processes" | "clock">,
  show: (url: string) => void,
): Promise<Required<IssuedTokens>> {
  const state = randomText(32);
  const verifier = randomText(64);
  let redirectUri = "";
  const callback = createLoginCallback(state, (code) => exchangeCode(deps, { code, redirectUri, verifier }));
  const listener = await listenForBrowser(platform, callback.handler);
  try {
    redirectUri = `http://127.0.0.1:${listener.port}/auth/callback`;
    const url = authorizeUrl(deps.config, redirectUri, state, await challengeOf(verifier));
    show(url);
    await platform.processes.openUrl(url).catch(() => false);
    return await withDeadline(platform.clock, VALID_MS, () => callback.result);
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    throw new ProxyError("credentials", "sign-in failed: the browser did not come back within 15 minutes; try again");
  } finally {
    await listener.close(LAST_PAGE_MS);
  }
}

function authorizeUrl(config: AuthCallDeps["config"], redirectUri: string, state: string, challenge: string): string {
  const query = new URLSearchParams({
    response_type: "code",
    client_id: config.oauthClientId,
    redirect_uri: redirectUri,
    scope: SCOPE,
    code_challenge: challenge,
    code_challenge_method: "S256",
    id_token_add_organizations: "true",
    codex_cli_simplified_flow: "true",
    state,
    originator: config.identity.originator,
  });
  return `${config.authIssuer}/oauth/authorize?${query}`;
}

async function listenForBrowser(
  platform: Pick<Platform, "listen" | "createFetch" | "clock">,
  handler: Handler,
): Promise<Listener> {
  const listen = (port: number) => platform.listen(handler, { host: "127.0.0.1", port }).catch(() => undefined);
  const first = await listen(PORT);
  if (first !== undefined) return first;
  await cancelOtherLogin(platform);
  for (let attempt = 1; attempt <= FREE_AGAIN_TRIES; attempt++) {
    await platform.clock.sleep(FREE_AGAIN_PAUSE_MS);
    const again = await listen(PORT);
    if (again !== undefined) return again;
  }
  const second = await listen(SECOND_PORT);
  if (second !== undefined) return second;
  const message = `sign-in needs port ${PORT} or ${SECOND_PORT} on 127.0.0.1, and other programs hold both: end them, or use --device`;
  throw new ProxyError("credentials", message, { code: "EADDRINUSE" });
}

/** Asks a login that was left waiting to give the port up; Codex and this program both understand it. */
async function cancelOtherLogin({ createFetch, clock }: Pick<Platform, "createFetch" | "clock">): Promise<void> {
  const fetch = createFetch({ proxyUrl: undefined, noProxy: [], extraCa: undefined });
  const url = `http://127.0.0.1:${PORT}/cancel`;
  try {
    await withDeadline(clock, 2_000, async (signal) =>
      (await fetch(url, { method: "GET", headers: {}, signal })).discard(),
    );
  } catch {
    // Whatever holds the port does not speak HTTP: the second port remains.
  }
}
