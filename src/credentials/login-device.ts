import { ProxyError } from "../errors.ts";
import { type AuthAnswer, type AuthCallDeps, answerFields, postAuth } from "./auth-call.ts";
import type { IssuedTokens } from "./auth-file.ts";
import { exchangeCode } from "./exchange-code.ts";

/** The code that the user types in at `url`. */
export interface DeviceCode {
  readonly url: string;
  readonly userCode: string;
}

const VALID_MS = 15 * 60_000;

/**
 * Signs in on a machine without a browser: shows a code, waits until the user has entered it elsewhere.
 * @throws ProxyError `credentials` when that is not possible or not done within 15 minutes.
 */
export async function loginByDevice(
  deps: AuthCallDeps,
  show: (code: DeviceCode) => void,
): Promise<Required<IssuedTokens>> {
  const { authIssuer, oauthClientId } = deps.config;
  const asked = await postAuth(deps, `${authIssuer}/api/accounts/deviceauth/usercode`, { client_id: oauthClientId });
  const { deviceId, userCode, intervalMs } = readUserCode(asked);
  show({ url: `${authIssuer}/codex/device`, userCode });
  const until = deps.clock.now() + VALID_MS;
  while (deps.clock.now() < until) {
    await deps.clock.sleep(intervalMs);
    const grant = await poll(deps, deviceId, userCode);
    if (grant !== undefined) {
      return exchangeCode(deps, { ...grant, redirectUri: `${authIssuer}/deviceauth/callback` });
    }
  }
  throw new ProxyError("credentials", "sign-in failed: the code was not entered within 15 minutes; try again");
}

function readUserCode(answer: AuthAnswer): { deviceId: string; userCode: string; intervalMs: number } {
  if (answer.status === 404) {
    const message = "device login is not enabled for this workspace: use `codex-api-proxy login` with a browser";
    throw new ProxyError("credentials", message);
  }
  const fields = answerFields(answer);
  const userCode = fields.user_code ?? fields.usercode;
  if (answer.status !== 200 || typeof fields.device_auth_id !== "string" || typeof userCode !== "string") {
    throw new ProxyError("credentials", `sign-in failed: no device code was given (${answer.status}); try again later`);
  }
  const seconds = Number(fields.interval);
  return { deviceId: fields.device_auth_id, userCode, intervalMs: (seconds >= 1 ? seconds : 5) * 1000 };
}

/** Undefined while the user has not agreed yet. */
async function poll(
  deps: AuthCallDeps,
  deviceId: string,
  userCode: string,
): Promise<{ code: string; verifier: string } | undefined> {
  const url = `${deps.config.authIssuer}/api/accounts/deviceauth/token`;
  // A dropped connection in a quarter of an hour of polling is no reason to give up.
  const answer = await postAuth(deps, url, { device_auth_id: deviceId, user_code: userCode }).catch(() => undefined);
  if (answer === undefined || [403, 404, 429].includes(answer.status) || answer.status >= 500) return undefined;
  const { authorization_code, code_verifier } = answerFields(answer);
  if (answer.status === 200 && typeof authorization_code === "string" && typeof code_verifier === "string") {
    return { code: authorization_code, verifier: code_verifier };
  }
  throw new ProxyError("credentials", `sign-in failed: the device code was refused (${answer.status}); try again`);
}
