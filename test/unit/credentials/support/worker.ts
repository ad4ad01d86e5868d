import { fileStore } from "../../../../runtimes/shared/files.ts";
import { createCredentialSession } from "../../../../src/credentials/session.ts";
import { silentLog } from "../../../../src/observability/log.ts";
import { fromResponse } from "../../../../src/stream/byte-source.ts";

/**
 * A process that uses the login as a server would: `worker <codexHome> <issuer> <requests>`. Prints one line a request:
 * the access token, or `error: …`. `refused` instead of a count recovers once from a 401.
 */
const [codexHome = "", authIssuer = "", requests = "1"] = process.argv.slice(2);
const session = createCredentialSession({
  config: {
    codexHome,
    authIssuer,
    refreshTokenUrl: `${authIssuer}/oauth/token`,
    oauthClientId: "app_EMoamEEZ73f0CkXaXp7hrann",
    identity: { clientVersion: "0.169.0", originator: "codex_cli_rs", userAgent: "worker", residency: undefined },
  },
  fetch: async (url, { method, headers, body, signal }) => {
    const init = { method, headers, body: (body as string | undefined) ?? null, signal: signal ?? null };
    return fromResponse(await fetch(url, init));
  },
  files: fileStore,
  clock: {
    now: Date.now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(resolve, ms);
        signal?.addEventListener("abort", () => {
          clearTimeout(timer);
          reject(signal.reason);
        });
      }),
  },
  log: silentLog,
  metrics: { tokenRefreshed() {} },
  env: () => undefined,
});

for (let request = 0; request < Number(requests); request++) {
  const line = await session.current().then(
    (credentials) => (credentials.mode === "chatgpt" ? credentials.accessToken : ""),
    (error: Error) => `error: ${error.message}`,
  );
  process.stdout.write(`${line}\n`);
  await new Promise((done) => setTimeout(done, 2));
}
