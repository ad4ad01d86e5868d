import type { Result } from "hono/router";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { SmartRouter } from "hono/router/smart-router";
import { TrieRouter } from "hono/router/trie-router";
import type { Route } from "./route.ts";

/** The endpoint that a request is for. */
export interface MatchedRoute {
  readonly route: Route;
  /** A part of the path, with its percent-encoding undone; empty where the pattern has none of that name. */
  readonly param: (name: string) => string;
}

/** Finds a request's endpoint by method and path. */
export type MatchRoute = (method: string, path: string) => MatchedRoute | undefined;

/** @param routes in the order in which they are tried. */
export function createRouteTable(routes: readonly Route[]): MatchRoute {
  const router = new SmartRouter<Route>({ routers: [new RegExpRouter(), new TrieRouter()] });
  for (const route of routes) for (const path of pathsOf(route)) router.add(route.method, path, route);
  return (method, path) => {
    const matched = router.match(method, path);
    const route = matched[0][0]?.[0];
    return route && { route, param: (name) => paramOf(matched, name) };
  };
}

/** Every `/v1/…` route also answers without the prefix, since base URLs are given both ways. */
function pathsOf({ path }: Route): string[] {
  return path.startsWith("/v1/") && path !== "/v1/*" ? [path, path.slice(3)] : [path];
}

function paramOf([handlers, stash]: Result<Route>, name: string): string {
  const params = handlers[0]?.[1] ?? {};
  const value = params[name];
  const text = typeof value === "number" ? stash?.[value] : value;
  try {
    return decodeURIComponent(text ?? "");
  } catch {
    return text ?? "";
  }
}
