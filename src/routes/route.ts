import type { ProxyConfig } from "../config/config.ts";
import type { Exchange } from "../exchange.ts";
import type { Answer, ServerRequest } from "../platform.ts";

/** One request as a route sees it. */
export interface RouteRequest {
  readonly request: ServerRequest;
  readonly url: URL;
  param(name: string): string;
  readonly exchange: Exchange;
  readonly config: ProxyConfig;
}

/** One endpoint. `path` is a pattern of Hono's routers; what starts with `/v1/` also answers without it. */
export interface Route {
  readonly method: "GET" | "POST" | "DELETE" | "ALL";
  readonly path: string;
  handle(request: RouteRequest): Promise<Answer>;
}
