import { type AuthCallDeps, postAuth } from "./auth-call.ts";

/** Revokes a refresh token, which ends the login everywhere. Gives false when that could not be done; never throws. */
export async function revokeToken(deps: AuthCallDeps, refreshToken: string): Promise<boolean> {
  const { revokeTokenUrl, oauthClientId, identity } = deps.config;
  const fields = { token: refreshToken, token_type_hint: "refresh_token", client_id: oauthClientId };
  const headers = { originator: identity.originator, "user-agent": identity.userAgent };
  try {
    return (await postAuth(deps, revokeTokenUrl, fields, headers)).status === 200;
  } catch {
    return false;
  }
}
