import type { AppDeps } from "./app.ts";
import { createCredentialSession } from "./credentials/session.ts";
import { chatDialect } from "./dialects/chat/index.ts";
import { messagesDialect } from "./dialects/messages/index.ts";
import { responsesDialect } from "./dialects/responses/index.ts";
import type { ErrorDialect } from "./http/error-answer.ts";
import type { HeaderBag } from "./platform.ts";
import { createRoutes } from "./routes/index.ts";
import { createRouteTable, type MatchRoute } from "./routes/table.ts";
import { createServices, type Services } from "./services.ts";

/** All endpoints with what they share: the part of the app that is loaded after the start. */
export interface Api {
  readonly match: MatchRoute;
  readonly services: Services;
  /** The API that a path, or the client's own header, belongs to: errors are told in it. */
  errorDialect(path: string, headers: HeaderBag): ErrorDialect;
}

/** @param startedAt Epoch milliseconds. */
export function createApi(deps: AppDeps, startedAt: number): Api {
  const services = createServices(deps, deps.session ?? createCredentialSession(deps), startedAt);
  return { match: createRouteTable(createRoutes(services)), services, errorDialect };
}

function errorDialect(path: string, headers: HeaderBag): ErrorDialect {
  if (/^(\/v1)?\/messages(\/|$)/.test(path) || headers.has("anthropic-version")) return messagesDialect;
  return /^(\/v1)?\/responses(\/|$)/.test(path) ? responsesDialect : chatDialect;
}
