import { ProxyError } from "../errors.ts";
import type { Answer, Handler } from "../platform.ts";
import type { IssuedTokens } from "./auth-file.ts";
import { loginPage } from "./login-page.ts";

export type LoginResult = Promise<Required<IssuedTokens>>;

export interface LoginCallback {
  readonly handler: Handler;
  /** The tokens once the browser has seen the last page; rejects when the user or another login cancels. */
  readonly result: LoginResult;
}

/** The pages that the browser comes back to: `/auth/callback`, `/success`, `/cancel`. */
export function createLoginCallback(state: string, exchange: (code: string) => LoginResult): LoginCallback {
  const { promise: result, resolve, reject } = withResolvers();
  let tokens: LoginResult | undefined;

  async function callback(query: URLSearchParams): Promise<Answer> {
    // A page of another login, or a forged one: this login goes on waiting.
    if (query.get("state") !== state) return plainText("State mismatch", 400);
    const refusal = query.get("error");
    const code = query.get("code");
    if (refusal !== null || code === null) {
      const reason = plainWords(query.get("error_description") ?? refusal ?? "no code came back");
      reject(new ProxyError("credentials", `sign-in failed: ${reason}`));
      return loginPage("Sign-in failed", `${reason}. You can close this tab and try again.`);
    }
    try {
      tokens ??= exchange(code);
      await tokens;
      return { status: 302, headers: { location: "/success" }, body: null };
    } catch (error) {
      reject(error);
      const message = error instanceof ProxyError ? error.message : "sign-in failed";
      return loginPage("Sign-in failed", `${message}. You can close this tab.`, 502);
    }
  }

  function route(url: URL): Answer | Promise<Answer> {
    switch (url.pathname) {
      case "/auth/callback":
        return callback(url.searchParams);
      case "/success":
        if (tokens === undefined) return plainText("Not signed in yet", 400);
        resolve(tokens);
        return loginPage("Signed in", "codex-api-proxy and Codex use this login now. You can close this tab.");
      case "/cancel":
        reject(new ProxyError("cancelled", "sign-in was cancelled: another login has been started"));
        return plainText("Login cancelled", 200);
      default:
        return plainText("Not found", 404);
    }
  }

  return {
    result,
    handler: (request) => (request.method === "GET" ? route(new URL(request.url)) : plainText("GET only", 405)),
  };
}

const plainText = (body: string, status: number): Answer => ({
  status,
  headers: { "content-type": "text/plain; charset=utf-8" },
  body,
});

/** What the issuer says in a query is shown to the user as words, without control characters and of bounded length. */
function plainWords(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N} .,:;'()_/-]/gu, " ").slice(0, 200);
}

function withResolvers() {
  let resolve: (tokens: LoginResult) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise: LoginResult = new Promise((onTokens, onError) => {
    resolve = onTokens;
    reject = onError;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
