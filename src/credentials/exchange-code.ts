import { ProxyError } from "../errors.ts";
import { type AuthCallDeps, postAuth } from "./auth-call.ts";
import type { IssuedTokens } from "./auth-file.ts";
import { readIssuedTokens } from "./refresh.ts";
import { failureOfAnswer } from "./refresh-failure.ts";

export interface AuthorizationCode {
  readonly code: string;
  readonly redirectUri: string;
  /** PKCE verifier whose SHA-256 the code is bound to. */
  readonly verifier: string;
}

/** Exchanges an authorization code for tokens. @throws ProxyError `credentials` when that fails. */
export async function exchangeCode(deps: AuthCallDeps, grant: AuthorizationCode): Promise<Required<IssuedTokens>> {
  const form = new URLSearchParams({
    grant_type: "authorization_code",
    client_id: deps.config.oauthClientId,
    code: grant.code,
    redirect_uri: grant.redirectUri,
    code_verifier: grant.verifier,
  });
  const answer = await postAuth(deps, `${deps.config.authIssuer}/oauth/token`, form);
  if (answer.status !== 200) {
    const { code } = failureOfAnswer(answer.status, answer.headers, answer.text);
    throw new ProxyError(
      "credentials",
      `sign-in failed: the code was not accepted (${answer.status}, ${code}); try again`,
      {
        code,
      },
    );
  }
  const { idToken, accessToken, refreshToken } = readIssuedTokens(answer.text) ?? {};
  if (idToken === undefined || accessToken === undefined || refreshToken === undefined) {
    throw new ProxyError("credentials", "sign-in failed: the token endpoint's answer lacks a token; try again");
  }
  return { idToken, accessToken, refreshToken };
}
