import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";

/** Cookies that upstream's edge sets on every answer, and that no client of a proxy may see. */
export const EDGE_COOKIE = "__cf_bm=upstream-double; path=/; HttpOnly; Secure";

/** Headers on every answer. */
export function edgeHeaders(): Record<string, string | string[]> {
  return {
    server: "cloudflare",
    "cf-ray": `${randomBytes(8).toString("hex")}-TST`,
    "x-request-id": `req_${randomBytes(8).toString("hex")}`,
    "set-cookie": [EDGE_COOKIE],
  };
}

/** Answers with JSON. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string | string[]> = {},
): void {
  send(response, status, JSON.stringify(body), { "content-type": "application/json", ...headers });
}

/** Answers with text or bytes. */
export function send(
  response: ServerResponse,
  status: number,
  body: string | Uint8Array,
  headers: Record<string, string | string[]>,
): void {
  response.writeHead(status, { ...edgeHeaders(), "content-length": String(Buffer.byteLength(body)), ...headers });
  response.end(body);
}
