import type { ProxyConfig } from "../config/config.ts";
import type { Exchange } from "../exchange.ts";

/** One request as a route sees it. */
export interface RouteRequest {
  readonly request: Request;
  readonly url: URL;
  param(name: string): string;
  readonly exchange: Exchange;
  readonly config: ProxyConfig;
}

/** One endpoint. `path` is a Hono pattern; what starts with `/v1/` also answers without it. */
export interface Route {
  readonly method: "GET" | "POST" | "DELETE" | "ALL";
  readonly path: string;
  handle(request: RouteRequest): Promise<Response>;
}

/** JSON that no cache may keep. */
export function json(body: unknown, status = 200): Response {
  return Response.json(body, { status, headers: { "cache-control": "no-store" } });
}
