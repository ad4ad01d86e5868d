import type { Exchange } from "./context.ts";
import {
  answerAuthorize,
  answerDeviceToken,
  answerRevoke,
  answerToken,
  answerUserCode,
  answerWhoami,
} from "./oauth.ts";
import { answerPlatform } from "./platform.ts";
import { detail } from "./refusal.ts";
import { answerAccounts, answerModels, answerSeatResponses, answerUsage } from "./seat.ts";
import type { RecordedRequest } from "./types.ts";

type Route = (exchange: Exchange) => void | Promise<void>;

const ROUTES: Readonly<Record<string, Route>> = {
  "POST /backend-api/codex/responses": answerSeatResponses,
  "GET /backend-api/codex/models": answerModels,
  "GET /backend-api/wham/accounts/check": answerAccounts,
  "GET /backend-api/wham/usage": answerUsage,
  "POST /oauth/token": answerToken,
  "POST /oauth/revoke": answerRevoke,
  "GET /oauth/authorize": answerAuthorize,
  "POST /api/accounts/deviceauth/usercode": answerUserCode,
  "POST /api/accounts/deviceauth/token": answerDeviceToken,
  "GET /api/accounts/v1/user-auth-credential/whoami": answerWhoami,
};

/** Who answers a request. A known path with another method is 405, an unknown one 404. */
export function findRoute({ method, path }: RecordedRequest): Route {
  const route = ROUTES[`${method} ${path}`];
  if (route !== undefined) return route;
  if (path.startsWith("/v1/")) return answerPlatform;
  const known = Object.keys(ROUTES).some((entry) => entry.endsWith(` ${path}`));
  throw known ? detail("Method Not Allowed", 405) : detail("Not Found", 404);
}
