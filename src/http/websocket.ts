import { ProxyError } from "../errors.ts";
import type { HeaderBag } from "../platform.ts";

/**
 * Refuses a WebSocket upgrade at once with 426, on which Codex falls back to HTTP silently; other answers make it try for
 * more than a minute.
 * @throws ProxyError `unsupported` with status 426.
 */
export function refuseUpgrade(headers: HeaderBag): void {
  if (headers.get("upgrade")?.toLowerCase() !== "websocket") return;
  throw new ProxyError("unsupported", "this server speaks HTTP only: send the request by POST", {
    status: 426,
    code: "upgrade_not_supported",
  });
}
