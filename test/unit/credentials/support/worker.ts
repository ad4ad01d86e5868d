import { createSharedPlatform } from "../../../../runtimes/shared/platform.ts";
import { createRenewApart, RENEW_COMMAND, runRenewLogin } from "../../../../src/cli/renew-login.ts";
import { createCredentialSession } from "../../../../src/credentials/session.ts";
import { silentLog } from "../../../../src/observability/log.ts";
import type { Platform, UpstreamFetch } from "../../../../src/platform.ts";
import { fromResponse } from "../../../../src/stream/byte-source.ts";
import { toAbortSignal } from "../../../support/abort-signal.ts";

/**
 * A process that uses the login as a server would: `worker <codexHome> <issuer> <requests> <apart|inside>`. Prints one line
 * a request: the access token, or `error: …`.
 */
const fetchPlainly: UpstreamFetch = async (url, { method, headers, body, signal }) => {
  const init = {
    method,
    headers,
    body: (body as string | undefined) ?? null,
    signal: signal ? toAbortSignal(signal) : null,
  };
  return fromResponse(await fetch(url, init));
};

const platform: Platform = {
  ...createSharedPlatform({
    runtime: { name: "node", version: process.version },
    runtimeArgs: [],
    memory: { resident: () => 0, trim: async () => {} },
    listen: () => Promise.reject(new Error("a worker does not listen")),
  }),
  createFetch: () => fetchPlainly,
};

if (platform.argv[0] === RENEW_COMMAND) await runRenewLogin(platform);
else await useLogin();

async function useLogin(): Promise<void> {
  const [codexHome = "", authIssuer = "", requests = "1", where = "inside"] = platform.argv;
  const config = {
    codexHome,
    authIssuer,
    refreshTokenUrl: `${authIssuer}/oauth/token`,
    oauthClientId: "app_EMoamEEZ73f0CkXaXp7hrann",
    identity: { clientVersion: "0.169.0", originator: "codex_cli_rs", userAgent: "worker", residency: undefined },
    network: { proxyUrl: undefined, noProxy: [], extraCa: undefined },
  };
  const session = createCredentialSession({
    config,
    fetch: fetchPlainly,
    files: platform.files,
    clock: platform.clock,
    log: silentLog,
    metrics: { tokenRefreshed() {} },
    env: () => undefined,
    renewApart: where === "apart" ? createRenewApart(platform, config, `${codexHome}/state`) : undefined,
  });
  for (let request = 0; request < Number(requests); request++) {
    const line = await session.current().then(
      (credentials) => (credentials.mode === "chatgpt" ? credentials.accessToken : ""),
      (error: Error) => `error: ${error.message}`,
    );
    platform.write("stdout", `${line}\n`);
    await platform.clock.sleep(2);
  }
}
