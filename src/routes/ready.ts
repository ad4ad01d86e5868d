import { jsonAnswer } from "../answer.ts";
import { toProxyError } from "../errors.ts";
import type { Services } from "../services.ts";
import type { Route } from "./route.ts";

/** `GET /ready`: there are credentials to work with; refreshes them when the refresh rules say so. */
export function readyRoute(services: Services): Route {
  const { config, session } = services;
  return {
    method: "GET",
    path: "/ready",
    async handle() {
      try {
        const { mode } = await session.current();
        return jsonAnswer({
          ok: true,
          https_proxy: withoutPassword(config.network.proxyUrl),
          mode,
          upstream_base: mode === "chatgpt" ? config.chatgptBaseUrl : config.openaiBaseUrl,
          auth_path: session.authPath,
        });
      } catch (error) {
        return jsonAnswer({ ok: false, error: toProxyError(error).message }, 503);
      }
    },
  };
}

function withoutPassword(proxyUrl: string | undefined): string | null {
  if (proxyUrl === undefined) return null;
  const url = new URL(proxyUrl);
  if (url.password !== "") url.password = "***";
  return url.href;
}
